"""A model that hesitates, so that a test can act on its run meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.support.sessions import until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.events import ENDINGS, Event, Kind
from assent.core.messages import Message, Text
from assent.core.model import Answer, Delta, Request, TextDelta
from assent.runs.result import Result
from assent.tools.tool import Tool

Act = Callable[[Session, str], Awaitable[object]]


class Hesitant:
    """Says the beginning of its answer, and the rest once it is `released`."""

    name = "test:hesitant"

    def __init__(self) -> None:
        self.begun, self.released = asyncio.Event(), asyncio.Event()

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        yield TextDelta("Half an ")
        yield TextDelta("answer")
        self.begun.set()
        await self.released.wait()
        yield Answer(Message("assistant", (Text("Half an answer is whole."),)))


@contextlib.contextmanager
def hesitating(folder: Path, *tools: Tool[..., Any]) -> Any:
    model = Hesitant()
    session = Session(prepare(folder), config=Config(), models=[model])
    for item in tools:
        session.add_tool(item)
    try:
        yield session, model
    finally:
        session.close()


def begun(session: Session, kind: Kind, act: Act, *tools: Any, **options: Any) -> Result:
    """The result of a run on which `act` was done once it had an event of that `kind`."""

    async def run() -> Result:
        async with contextlib.aclosing(session.submit(StartRun("Go.", Agent(tools=tools, parallel=1), **options))) as s:
            name = (await until(s, kind)).run or ""
            await act(session, name)
            async for _ in s:
                pass
        return session.result(name)

    return asyncio.run(run())


def stopped(session: Session, run: str) -> Event:
    """The ending that the run has."""
    (last,) = [event for event in session.journal.events(run) if event.kind in ENDINGS][-1:]
    return last
