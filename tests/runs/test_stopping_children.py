"""A run that is paused or stopped and those that it has started."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.runs.hesitant import Hesitant, begun
from tests.support.calls import call
from tests.support.deeds import mail
from tests.support.sessions import opened, ran, resumed, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.events import Kind
from assent.core.messages import Message, Text
from assent.core.model import Answer, Delta, Request
from assent.tools.tool import Tool, tool


def family(session: Session, *child: Any) -> Tool[..., Any]:
    """A tool that has another agent do the work, as a child of the run that calls it."""

    @tool(privilege="execute_safe")
    async def delegate() -> str:
        """Have another do it."""
        parent = next(iter(session._work.live))
        result = await session.run(Agent("child", tools=child), "Do it.", parent=parent, model="test:hesitant")
        return f"{result.status}: {result.text}"

    return delegate


class Delegating(Hesitant):
    """The parent delegates; the child hesitates."""

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        if request.agent == "child":
            async for item in super().stream(request):
                yield item
        elif len(request.messages) == 2:
            yield Answer(Message("assistant", (call("delegate"),)), stop="calls")
        else:
            yield Answer(Message("assistant", (Text("done"),)))


@contextlib.contextmanager
def delegating(folder: Path) -> Any:
    model = Delegating()
    session = Session(prepare(folder), config=Config(), models=[model])
    session.add_tool(family(session))
    try:
        yield session, model
    finally:
        session.close()


def both(session: Session) -> list[list[Any]]:
    rows = session.sql("SELECT agent, status, reason FROM runs ORDER BY agent").values.tolist()
    return [list(row) for row in rows]


@pytest.mark.parametrize("how", ["cancel", "stop", "pause"])
def test_a_stop_reaches_the_children(tmp_path: Path, how: str) -> None:
    async def act(session: Session, run: str) -> None:
        await model.begun.wait()
        if how == "stop":
            await asyncio.to_thread(session.stop, run)
        else:
            await asyncio.to_thread(getattr(session, how), run, "enough", 0)

    reason = "stopped by the analyst" if how == "stop" else "enough"
    status = "paused" if how == "pause" else "cancelled"
    with delegating(tmp_path) as (session, model):
        begun(session, Kind.CALL_STARTED, act, "delegate")
        assert both(session) == [["analyst", status, reason], ["child", status, reason]]


def test_a_pause_lets_the_children_end_what_they_are_at(tmp_path: Path) -> None:
    async def act(session: Session, run: str) -> None:
        await model.begun.wait()
        session.pause(run)
        model.released.set()

    with delegating(tmp_path) as (session, model):
        run = begun(session, Kind.CALL_STARTED, act, "delegate").run
        assert both(session) == [["analyst", "paused", "paused by the analyst"], ["child", "finished", ""]]
        assert resumed(session, run).text == "done"


def test_a_child_in_a_thread_of_its_own_hears_of_an_interrupt(tmp_path: Path) -> None:
    reached, cut = threading.Event(), threading.Event()

    @tool(privilege="execute_safe")
    def delegate() -> str:
        """Have another do it, in this tool's thread."""
        agent = Agent("child", tools=())
        result = asyncio.run(session.run(agent, "Do it.", parent=next(iter(session._work.live))))
        cut.set()
        return result.status

    class Waiting(Delegating):
        async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
            if request.agent == "child":
                reached.set()
                await asyncio.Event().wait()
            async for item in super().stream(request):
                yield item

    async def interrupt() -> None:
        stream = session.submit(StartRun("Go.", Agent(tools=("delegate",))))
        await until(stream, Kind.CALL_STARTED)
        assert await asyncio.to_thread(reached.wait, 10)
        await stream.aclose()
        assert await asyncio.to_thread(cut.wait, 10)

    session = Session(prepare(tmp_path), config=Config(), models=[Waiting()])
    try:
        session.add_tool(delegate)
        asyncio.run(interrupt())
        assert both(session) == [[name, "cancelled", "interrupted by the analyst"] for name in ("analyst", "child")]
    finally:
        session.close()


def test_children_that_wait_and_theirs_are_marked(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done", tools=(mail,)) as session:
        parent = ran(session, "mail").run
        child = ran(session, "mail", parent=parent).run
        grandchild = ran(session, "mail", parent=child).run
        other = ran(session, "mail").run
        session.cancel(parent)
        status = {run: session.state(run).status for run in (parent, child, grandchild, other)}
        assert status == {parent: "cancelled", child: "cancelled", grandchild: "cancelled", other: "suspended"}


def test_a_stop_of_one_that_has_ended_reaches_its_children(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done", tools=(mail,)) as session:
        parent = ran(session, "mail").run
        session.cancel(parent)
        child = ran(session, "mail", parent=parent).run
        session.cancel(parent)
        assert session.state(child).status == "cancelled"


def test_a_child_that_begins_after_its_parent_was_asked_does_nothing(tmp_path: Path) -> None:
    heard = threading.Event()

    def listen(events: Any) -> None:
        if any(event.kind is Kind.STOP_REQUESTED for event in events):
            heard.set()

    @tool(privilege="execute_safe")
    async def delegate() -> str:
        """Begin a child once the parent is to pause."""
        parent = next(iter(session._work.live))
        await asyncio.to_thread(session.pause, parent)
        assert await asyncio.to_thread(heard.wait, 10)
        return (await session.run(Agent("child", tools=()), "Do it.", parent=parent)).status

    with opened(tmp_path, call("delegate"), "done", tools=(delegate,)) as session:
        session.journal.subscribe(listen)
        assert ran(session, "delegate").status == "paused"
        assert [row[:2] for row in both(session)] == [["child", "paused"], ["tester", "paused"]]
        assert session.sql("SELECT count(*) FROM steps WHERE agent = 'child'").iloc[0, 0] == 0
