"""The end of a run: there is one, whatever comes while it is written."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.events import ENDINGS, Event, Kind
from assent.core.model import Request
from assent.models.scripted import ScriptedModel


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
        loop.call_soon(lambda: next(iter(session._live.values())).cancel())
        loop.call_soon(release.set)
        return "done"

    session = Session(tmp_path / "workspace", config=Config(), models=[ScriptedModel([says])])
    try:
        session.journal.subscribe(hold)
        result = asyncio.run(session.run(Agent("quick", tools=()), "go"))
        kinds = [event.kind for event in session.journal.events(result.run)]
    finally:
        release.set()
        session.close()
    assert result.status == "finished"
    assert [kind for kind in kinds if kind in ENDINGS] == [Kind.RUN_FINISHED]


def test_thousands_of_runs_at_once_all_finish(tmp_path: Path) -> None:
    session = Session(tmp_path / "workspace", config=Config(), models=[ScriptedModel(["done"])])
    agent = Agent("quick", tools=())

    async def together() -> list[str]:
        results = await asyncio.gather(*[session.run(agent, "go") for _ in range(2000)])
        return [result.status for result in results]

    try:
        assert set(asyncio.run(together())) == {"finished"}
    finally:
        session.close()
