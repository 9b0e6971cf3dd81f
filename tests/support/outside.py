"""A vendor on loopback that keeps the bodies of what it was sent, and a session that asks it."""

import asyncio
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.chat_server import ChatServer, Script, chat_server
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import ResumeRun, StartRun
from assent.core.config import Config
from assent.models.wrappers.wrapped import Wrapped
from assent.runs.result import Result

REMOTE = "openai:gpt-4o"  # a vendor's row counts as remote, wherever it answers
QUICK = {"default": {"attempts": 1, "breaker": 0}}


@contextmanager
def outside(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: Script, namespace: MutableMapping[str, Any] | None = None,
    policy: str = "", **options: Any,
) -> Iterator[tuple[Session, ChatServer]]:  # fmt: skip
    """The session, whose model is the vendor, and the server; `policy` is what policy.toml says."""
    with chat_server(script) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        prepare(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if policy:
            (folder / "policy.toml").write_text(policy)
        config = options.pop("config", Config(model=REMOTE, models=QUICK))
        session = Session(folder, {} if namespace is None else namespace, config=config, **options)
        try:
            yield session, server
        finally:
            session.close()


def asked(session: Session, prompt: str, *tools: Any, **options: Any) -> Result:
    """The result of a run by an agent with these tools, by name or themselves."""
    return asyncio.run(_carried_out(session, StartRun(prompt, Agent(name="tester", tools=tools), **options)))


def gone_on(session: Session, run: str, **options: Any) -> Result:
    """The result of a run that is resumed."""
    return asyncio.run(_carried_out(session, ResumeRun(run, **options)))


async def _carried_out(session: Session, command: StartRun | ResumeRun) -> Result:
    try:
        return await session.drain(command)
    finally:
        await cast("Wrapped", session.model(REMOTE)).aclose()  # its connections are of this loop


def sent(server: ChatServer) -> str:
    """All bodies that came, as one text."""
    return "\n".join([received.raw.decode() for received in server.requests])
