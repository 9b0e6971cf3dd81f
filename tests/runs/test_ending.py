"""The end of a run: there is one, whatever comes while it is written."""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.calls import call
from tests.support.sessions import opened, results, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.events import ENDINGS, Event, Kind
from assent.core.model import Request
from assent.models.scripted import ScriptedModel
from assent.tools.tool import tool


def test_a_cancellation_that_comes_while_the_end_is_written_adds_no_other_end(tmp_path: Path) -> None:
    entered, release = threading.Event(), threading.Event()

    def hold(events: Sequence[Event]) -> None:
        """Keeps the writer busy once the run has begun, so that the end has to wait."""
        if events[0].kind is Kind.RUN_STARTED:
            entered.set()
            assert release.wait(10)

    def says(request: Request) -> str:
        assert entered.wait(10)
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: next(iter(session._work.live.values())).cancel())
        loop.call_soon(release.set)
        return "done"

    session = Session(prepare(tmp_path / "workspace"), config=Config(), models=[ScriptedModel([says])])
    try:
        session.journal.subscribe(hold)
        result = asyncio.run(session.run(Agent("quick", tools=()), "go"))
        kinds = [event.kind for event in session.journal.events(result.run)]
    finally:
        release.set()
        session.close()
    assert result.status == "finished"
    assert [kind for kind in kinds if kind in ENDINGS] == [Kind.RUN_FINISHED]


@pytest.mark.slow
def test_thousands_of_runs_at_once_all_finish(tmp_path: Path) -> None:
    session = Session(prepare(tmp_path / "workspace"), config=Config(), models=[ScriptedModel(["done"])])
    agent = Agent("quick", tools=())

    async def together() -> list[str]:
        results = await asyncio.gather(*[session.run(agent, "go") for _ in range(2000)])
        return [result.status for result in results]

    try:
        assert set(asyncio.run(together())) == {"finished"}
    finally:
        session.close()


def test_nothing_comes_after_a_tool_that_survived_the_cancellation_of_its_run(tmp_path: Path) -> None:
    effects: list[str] = []

    @tool(privilege="execute_safe")
    async def stubborn() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "finished after all"

    @tool(privilege="execute_safe")
    def act() -> None:
        effects.append("acted")

    async def interrupt(session: Session) -> str:
        stream = session.submit(StartRun("go", Agent(tools=("stubborn", "act"))))
        run = (await until(stream, Kind.CALL_STARTED)).run or ""
        await stream.aclose()
        return run

    with opened(tmp_path, call("stubborn"), call("act"), "done", tools=(stubborn, act)) as session:
        run = asyncio.run(interrupt(session))
        assert session.state(run).status == "cancelled"
        assert [result.text for result in results(session, run)] == ["finished after all"]
    assert effects == []
