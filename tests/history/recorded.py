"""A recording, and the sessions that make one and play it."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.support.deeds import look
from tests.support.sessions import opened
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.messages import ToolCall
from assent.runs.result import Result
from assent.tools.tool import Tool


def call(name: str, number: int = 1, **arguments: Any) -> ToolCall:
    return ToolCall(f"c{number}", name, json.dumps(arguments))


def asked(session: Session, *tools: Any, prompt: str = "Go.", **options: Any) -> Result:
    """A run by an agent that leaves its model to the settings."""
    given = {name: options.pop(name) for name in ("instructions", "temperature") if name in options}
    return asyncio.run(session.run(Agent(name="tester", tools=tools, **given), prompt, **options))


def recorded(folder: Path, *turns: Any, tools: tuple[Tool[..., Any], ...] = (look,), **options: Any) -> Path:
    """The recording of one run."""
    file = folder / "answers.jsonl"
    with opened(folder / "there", *turns, tools=tools, config=Config(record=str(file))) as session:
        result = asked(session, *tools, **options)
        assert result.status == "finished", result
    return file


def playing(folder: Path, file: Path, **options: Any) -> Session:
    """A session without any model, in another workspace, that plays a recording."""
    return Session(prepare(folder / "here"), config=Config(replay=str(file)), **options)


def drifted(folder: Path, file: Path, *tools: Any, **options: Any) -> str:
    """What a run fails with that does not fit the recording."""
    with_session = playing(folder, file)
    try:
        result = asked(with_session, *tools, **options)
    finally:
        with_session.close()
    assert result.status == "failed", result
    assert result.reason.startswith("The recording answers.jsonl ")
    assert result.reason.endswith(
        "Nothing was asked of a model. To record again: %agent record answers.jsonl, "
        "then run the notebook from its first cell."
    )
    return result.reason.removeprefix("The recording answers.jsonl ").partition(". Nothing was asked")[0]
