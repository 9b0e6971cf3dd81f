"""A session over a scripted model, and what a test asks of it."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import people
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.events import Event, Kind, Progress
from assent.core.messages import ToolResult
from assent.models.scripted import ScriptedModel
from assent.runs.result import Result
from assent.tools.tool import Tool


@contextmanager
def opened(folder: Path, *turns: Any, tools: tuple[Tool[..., Any], ...] = (), **options: Any) -> Iterator[Session]:
    """A session whose one model says `turns`; closed at the end."""
    session = Session(prepare(folder), config=options.pop("config", Config()), models=[ScriptedModel(turns)], **options)
    try:
        for tool in tools:
            session.add_tool(tool)
        yield session
    finally:
        session.close()


def ran(session: Session, *tools: Any, prompt: str = "Go.", **options: Any) -> Result:
    """The result of a run by an agent with these tools; `options` are the agent's and the command's."""
    named = {name: options.pop(name) for name in ("policy", "parallel", "tool_timeout") if name in options}
    return asyncio.run(session.run(Agent(name="tester", tools=tools, **named), prompt, **options))


def resumed(session: Session, run: str, **options: Any) -> Result:
    return asyncio.run(session.drain(ResumeRun(run, **options)))


def approve(session: Session, call: str, **options: Any) -> Event:
    """A yes; with a passphrase, if the test has the fixture `people`."""
    if "ASSENT_PEOPLE" in os.environ and options.get("by") in people.NAMES:
        options.setdefault("passphrase", people.passphrase(options["by"]))
    return session.decide(Decide(call, "approve", **options))


def reject(session: Session, call: str, reason: str = "") -> Event:
    return session.decide(Decide(call, "reject", reason=reason))


def results(session: Session, run: str) -> list[ToolResult]:
    """What the model was told of its calls, in order."""
    messages = session.state(run).messages
    return [part for message in messages for part in message.parts if isinstance(part, ToolResult)]


def kinds(session: Session, run: str) -> list[Kind]:
    return [event.kind for event in session.journal.events(run)]


async def until(stream: AsyncGenerator[Event | Progress, None], kind: Kind, decision: str | None = None) -> Event:
    """The next event of that kind in a run's stream."""
    async for item in stream:
        if isinstance(item, Event) and item.kind is kind and decision in (None, item.decision):
            return item
    raise AssertionError(f"the stream ended without {kind}")


def started(*tools: Any, prompt: str = "Go.", **options: Any) -> StartRun:
    return StartRun(prompt, Agent(name="tester", tools=tools), **options)
