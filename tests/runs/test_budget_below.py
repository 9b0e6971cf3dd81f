"""What a run's calls start spends of the run's own budgets: together nothing is overspent, in whichever process."""

import asyncio
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import opened, ran, results, resumed

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import ResumeRun
from assent.core.events import Kind
from assent.core.model import Usage
from assent.models.scripted import Turn
from assent.runs.result import Result
from assent.tools.tool import Tool, tool

CALLS = {"budget": [{"name": "b", "per": "run", "calls": 4}]}


@tool(privilege="execute_safe")
def act() -> str:
    return "acted"


def starting(session: Session, below: list[Result], runs: int = 1, tools: tuple[Any, ...] = (act,)) -> Tool[..., Any]:
    """A tool that begins so many runs at once, and waits for them."""

    @tool(privilege="read_only")
    async def start() -> str:
        agent = Agent(name="child", tools=tools)
        below.extend(await asyncio.gather(*[session.run(agent, "Go.") for _ in range(runs)]))
        return "ended"

    return start


def count(session: Session, kind: Kind = Kind.CALL_STARTED) -> int:
    [(number,)] = session.journal.select("SELECT count(*) FROM events WHERE kind = ?", [kind.value])
    return int(number)


def test_a_child_is_stopped_by_the_budget_of_the_run_that_started_it(tmp_path: Path) -> None:
    below: list[Result] = []
    with opened(tmp_path, [call("start")], [call("act")] * 9, "end", tools=(act,)) as session:
        session.policy(CALLS)
        result = ran(session, starting(session, below))
        assert (result.status, count(session)) == ("finished", 4)
        assert below[0].status == "suspended"
        assert f"The budget b (session:1) of the run {result.run}, which has started this one, stops" in below[0].reason


def test_a_call_gives_no_run_a_budget_anew(tmp_path: Path) -> None:
    @tool
    def pay() -> str:
        return "paid"

    with opened(tmp_path, lambda request: [call(request.tools[0].name)], "end", tools=(pay,)) as session:
        held = ran(session, pay, budget=Decimal("0.5")).run

        @tool(privilege="read_only")
        async def more() -> str:
            return (await session.drain(ResumeRun(held, budget=Decimal(100)))).status

        told = results(session, ran(session, more).run)[0].text
        assert "a person's to say anew, and this is a tool's call" in told
        assert session.state(held).money == Decimal("0.5")


def test_what_a_child_has_spent_the_run_has_no_more(tmp_path: Path) -> None:
    below: list[Result] = []
    turns = [call("start")], [call("act")], [call("act")], "done", [call("act"), call("act")], "end"
    with opened(tmp_path, *turns, tools=(act,)) as session:
        session.policy(CALLS)
        result = ran(session, starting(session, below), act)
        assert (below[0].status, result.status, count(session)) == ("finished", "suspended", 4)
        assert "4 calls spent of 4 calls" in result.reason


def test_a_grandchild_counts_too(tmp_path: Path) -> None:
    below: list[Result] = []
    with opened(tmp_path, [call("start")], [call("middle")], [call("act")] * 5, "x", "end", tools=(act,)) as session:
        inner = starting(session, below)

        @tool(privilege="read_only")
        async def middle() -> str:
            return str(await inner.function())

        session.policy(CALLS)
        ran(session, starting(session, below, tools=(middle,)))
        assert (below[0].status, count(session)) == ("suspended", 4)


def test_the_runs_own_dollars_are_its_childrens_too(tmp_path: Path) -> None:
    below: list[Result] = []
    priced = [
        Turn(says, usage=Usage(100, 20, cost=Decimal("0.10"))) for says in ([call("start")], *[[call("act")]] * 9)
    ]
    with opened(tmp_path, *priced, tools=(act,)) as session:
        result = ran(session, starting(session, below), budget=Decimal("0.30"))
        assert (result.status, below[0].status) == ("suspended", "suspended")
        assert f"The budget of the run {result.run}, which has started this one, stops it" in below[0].reason
        assert f"%agent resume {result.run} --budget DOLLARS gives it more" in below[0].reason
        assert 3 <= count(session, Kind.MODEL_ANSWERED) <= 4  # nobody knows beforehand what this model will cost
        session.policy({})
        assert resumed(session, below[0].run).status == "suspended"


def test_children_that_race_for_the_last_of_it_do_not_overspend(tmp_path: Path) -> None:
    below: list[Result] = []
    turns = [call("start")], *[[call("act")]] * 60
    with opened(tmp_path, *turns, tools=(act,)) as session:
        session.policy({"budget": [{"name": "b", "per": "run", "calls": 12}]})
        ran(session, starting(session, below, runs=6))
        assert ({item.status for item in below}, count(session)) == ({"suspended"}, 12)


def test_a_persons_waiver_does_not_loosen_the_organisations_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "policy.toml"
    limit = '[[budget]]\nname = "b"\nper = "run"\ncalls = 1\n'
    waiver = '[[waiver]]\nbudget = "b"\nreason = "the month ends"\nuntil = 2099-01-01\n'
    monkeypatch.setenv("ASSENT_POLICY", str(file))
    file.write_text(limit)
    with opened(tmp_path / "w", [call("act")], [call("act")], "end", tools=(act,)) as session:
        session.waivers.give(reason="I want to", until="2h", by="ana", budget="b")
        result = ran(session, act)
        assert (result.status, count(session)) == ("suspended", 1)
        assert "Raise it there, or [[waiver]] there" in result.reason
        file.write_text(limit + waiver)
        assert resumed(session, result.run).status == "finished"


PROCESS = """
import asyncio, sys
from pathlib import Path
from tests.runs.test_budget_below import act
from tests.support.calls import call
from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.models.scripted import ScriptedModel

session = Session(Path(sys.argv[1]), config=Config(), models=[ScriptedModel([[call("act")]] * 40)])
try:
    print(asyncio.run(session.run(Agent(name="child", tools=(act,)), "Go.")).status)
finally:
    session.close()
"""


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_children_in_two_processes_that_race_for_the_last_of_it_do_not_overspend(tmp_path: Path) -> None:
    said: list[str] = []

    @tool(privilege="read_only")
    def start() -> str:
        command = [sys.executable, "-c", PROCESS, str(tmp_path)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said.extend([process.communicate(timeout=50)[0].strip() for process in running])
        return "ended"

    with opened(tmp_path, [call("start")], "end", tools=(act,)) as session:
        (session.folder / "policy.toml").write_text('[[budget]]\nname = "b"\nper = "run"\ncalls = 15\n')
        assert ran(session, start).status == "finished"
        assert (said, count(session)) == (["suspended", "suspended"], 15)
