"""A run is at work once, whichever session, thread or loop asks; whoever stops or answers it reaches it there."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.support.sessions import approve, opened, ran, resumed, until

from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Kind
from assent.core.messages import ToolCall
from assent.tools.tool import Tool, tool

TURNS = (ToolCall("c", "note", "{}"), "done")


def noting(effects: list[str]) -> Tool[[], None]:
    @tool
    def note() -> None:
        """Take a note."""
        effects.append("noted")

    return note


def test_a_second_session_cannot_resume_what_the_first_is_at_work_on(tmp_path: Path) -> None:
    effects: list[str] = []
    note = noting(effects)

    async def contend(first: Any, second: Any) -> None:
        stream = first.submit(StartRun("Go.", Agent(tools=("note",)), on_ask="wait", wait=10))
        asked = await until(stream, Kind.CALL_DECIDED, "ask")
        with pytest.raises(ConfigError, match="at work already"):
            await second.drain(ResumeRun(asked.run or ""))
        second.decide(Decide(asked.call or "", "approve"))
        await until(stream, Kind.RUN_FINISHED)

    with opened(tmp_path, *TURNS, tools=(note,)) as first, opened(tmp_path, *TURNS, tools=(note,)) as second:
        asyncio.run(contend(first, second))
    assert effects == ["noted"]


def test_a_second_session_can_stop_it(tmp_path: Path) -> None:
    async def stop(first: Any, second: Any) -> None:
        stream = first.submit(StartRun("Go.", Agent(tools=("note",)), on_ask="wait", wait=10))
        asked = await until(stream, Kind.CALL_DECIDED, "ask")
        second.cancel(asked.run)
        assert second.live(asked.run)
        await until(stream, Kind.RUN_CANCELLED)

    note = noting([])
    with opened(tmp_path, *TURNS, tools=(note,)) as first, opened(tmp_path, *TURNS, tools=(note,)) as second:
        asyncio.run(stop(first, second))


def test_a_run_that_nobody_answers_is_suspended_and_goes_on_later(tmp_path: Path) -> None:
    effects: list[str] = []

    async def leave(session: Any) -> str:
        stream = session.submit(StartRun("Go.", Agent(tools=("note",)), on_ask="wait", wait=60))
        asked = await until(stream, Kind.CALL_DECIDED, "ask")
        await asyncio.to_thread(session.unattended, asked.run)
        ended = await until(stream, Kind.RUN_SUSPENDED)
        assert ended.body["reason"] == f"nobody answers here; waiting for approval: {asked.call}"
        return str(asked.run)

    with opened(tmp_path, *TURNS, tools=(noting(effects),)) as session:
        run = asyncio.run(leave(session))
        session.unattended(run)  # it is at work no more
        approve(session, f"{run}.1")
        assert resumed(session, run).status == "finished"
    assert effects == ["noted"]


@pytest.mark.parametrize(("on_ask", "ends"), [("wait", Kind.RUN_SUSPENDED), ("deny", Kind.RUN_FINISHED)])
def test_a_run_that_nobody_answers_waits_for_no_later_question_and_denies_as_before(
    tmp_path: Path, on_ask: Any, ends: Kind
) -> None:
    effects: list[str] = []

    async def leave(session: Any) -> None:
        stream = session.submit(StartRun("Go.", Agent(tools=("note",)), on_ask=on_ask, wait=60))
        first = await until(stream, Kind.RUN_STARTED)
        session.unattended(first.run)
        await until(stream, ends)

    with opened(tmp_path, *TURNS, tools=(noting(effects),)) as session:
        asyncio.run(leave(session))
    assert not effects


def test_closing_a_session_leaves_the_runs_of_another_at_work(tmp_path: Path) -> None:
    async def close_other(first: Any, second: Any) -> None:
        stream = first.submit(StartRun("Go.", Agent(tools=("note",)), on_ask="wait", wait=10))
        asked = await until(stream, Kind.CALL_DECIDED, "ask")
        second.close()
        first.decide(Decide(asked.call or "", "approve"))
        await until(stream, Kind.RUN_FINISHED)

    note = noting([])
    with opened(tmp_path, *TURNS, tools=(note,)) as first, opened(tmp_path, *TURNS, tools=(note,)) as second:
        asyncio.run(close_other(first, second))


def test_of_many_threads_that_resume_a_run_one_does(tmp_path: Path) -> None:
    effects: list[str] = []
    together = threading.Barrier(4)

    with opened(tmp_path, *TURNS, tools=(noting(effects),)) as session:
        run = ran(session, "note").run
        approve(session, f"{run}.1")

        def resume(_: int) -> str:
            together.wait(10)
            try:
                return resumed(session, run).status
            except ConfigError as error:
                return str(error)

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(resume, range(4)))
    assert effects == ["noted"]
    assert outcomes.count("finished") == 1


def test_of_many_answers_from_two_sessions_one_is_taken(tmp_path: Path) -> None:
    together = threading.Barrier(8)
    note = noting([])

    with opened(tmp_path, *TURNS, tools=(note,)) as first, opened(tmp_path, *TURNS, tools=(note,)) as second:
        run = ran(first, "note").run

        def answer(number: int) -> bool:
            together.wait(10)
            try:
                (first, second)[number % 2].decide(Decide(f"{run}.1", "approve" if number < 4 else "reject"))
            except NotFound:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(answer, range(8))).count(True) == 1
        assert [event.kind for event in first.journal.events(run)].count(Kind.APPROVAL_DECIDED) == 1


def test_a_run_whose_tool_will_not_stop_cannot_be_resumed_beside_it(tmp_path: Path) -> None:
    released = asyncio.Event()

    @tool(privilege="execute_safe")
    async def stubborn() -> None:
        """Go on, whatever happens."""
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    async def lose_patience(session: Any) -> None:
        stream = session.submit(StartRun("Go.", Agent(tools=("stubborn",))))
        run = (await until(stream, Kind.CALL_STARTED)).run
        leaving = asyncio.ensure_future(stream.aclose())
        for _ in range(3):  # to the wait for the run's task, and out of it by force
            await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        with pytest.raises(ConfigError, match="at work already"):
            await session.drain(ResumeRun(run or ""))
        task = session._work.live[run or ""].task
        released.set()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert not session.live(run)

    with opened(tmp_path, ToolCall("c", "stubborn", "{}"), "done", tools=(stubborn,)) as session:
        asyncio.run(lose_patience(session))


async def asked(session: Any) -> None:
    """Return once a call of the session's workspace waits for a person."""
    loop, waits = asyncio.get_running_loop(), asyncio.Event()

    def heard(events: Any) -> None:
        if any(event.decision == "ask" for event in events):
            loop.call_soon_threadsafe(waits.set)

    leave = session.journal.subscribe(heard)
    if not session.pending():
        await waits.wait()
    leave()


def test_a_run_that_nobody_watches_is_stopped_without_its_task(tmp_path: Path) -> None:
    async def stop(session: Any) -> None:
        async def run() -> str:
            result = await session.run(Agent(tools=("note",)), "Go.", on_ask="wait", wait=10)
            await asyncio.sleep(0)  # where a cancellation that was left over would come out
            return str(result.status)

        task = asyncio.ensure_future(run())
        await asked(session)
        session.stop(session.pending()[0].run)
        assert await task == "cancelled"
        assert task.cancelling() == 0

    with opened(tmp_path, *TURNS, tools=(noting([]),)) as session:
        asyncio.run(stop(session))


def test_cancelling_the_task_of_a_run_that_nobody_watches_cancels_both(tmp_path: Path) -> None:
    async def cancel(session: Any) -> str:
        task = asyncio.ensure_future(session.run(Agent(tools=("note",)), "Go.", on_ask="wait", wait=10))
        await asked(session)
        run = session.pending()[0].run
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not session.live(run)
        return str(run)

    with opened(tmp_path, *TURNS, tools=(noting([]),)) as session:
        run = asyncio.run(cancel(session))
        assert session.state(run).status == "cancelled"
        assert resumed(session, run).status == "suspended"


def test_an_answer_reaches_a_run_that_nobody_watches(tmp_path: Path) -> None:
    effects: list[str] = []

    async def answer(session: Any) -> str:
        task = asyncio.ensure_future(session.run(Agent(tools=("note",)), "Go.", on_ask="wait", wait=10))
        await asked(session)
        await asyncio.to_thread(approve, session, session.pending()[0].call)
        return str((await task).text)

    with opened(tmp_path, *TURNS, tools=(noting(effects),)) as session:
        assert asyncio.run(answer(session)) == "done"
    assert effects == ["noted"]
