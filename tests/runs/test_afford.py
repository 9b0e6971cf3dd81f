"""A run is stopped before what its budgets do not cover, says what to do, and goes on once that is done."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.deeds import done
from tests.support.sessions import approve, kinds, ran, resumed
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.clock import CLOCK
from assent.core.commands import ForkRun
from assent.core.config import Config
from assent.core.errors import ConfigError
from assent.core.events import Event, Kind
from assent.core.model import Usage
from assent.models.scripted import ScriptedModel, Turn
from assent.tools.tool import tool

PRICED = "openai:gpt-4o-mini"  # a model whose price is known
ANSWER = Usage(100, 20, cost=Decimal("0.10"))


@tool(privilege="read_only")
def look(at: int = 0) -> str:
    done.append(at)
    return "seen"


@tool(privilege="execute_safe")
def write(path: str, lines: int) -> str:
    with open(path, "a") as file:
        file.write("a line\n" * lines)
    return "written"


@contextmanager
def session(folder: Path, policy: str, *turns: Any, name: str = "scripted:script") -> Iterator[Session]:
    workspace = prepare(folder / ".assent")
    (workspace / "policy.toml").write_text(policy)
    model = ScriptedModel([turn if isinstance(turn, Turn) else Turn(turn, usage=ANSWER) for turn in turns], name)
    opened = Session(workspace, config=Config(model=name), models=[model])
    opened.add_tool(look)
    opened.add_tool(write)
    try:
        yield opened
    finally:
        opened.close()


def budget(name: str = "b", **values: Any) -> str:
    lines = [f"{key} = {value if isinstance(value, int) else repr(value)}" for key, value in values.items()]
    return "\n".join(["[[budget]]", f'name = "{name}"', *lines, ""])


def told(opened: Session, run: str, kind: Kind) -> list[Event]:
    return [event for event in opened.events(run) if event.kind is kind]


LOOKS = [call("look", at=1)], [call("look", at=2)], [call("look", at=3)], "done"


def test_without_a_budget_nothing_is_told_of_any(tmp_path: Path) -> None:
    with session(tmp_path, "", *LOOKS) as opened:
        result = ran(opened, look)
        assert result.status == "finished"
        assert not [kind for kind in kinds(opened, result.run) if kind.value.startswith("budget")]


def test_a_model_is_not_asked_once_the_money_is_spent(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="run", money="0.20"), *LOOKS) as opened:
        result = ran(opened, look)
        assert (result.status, result.pending, done) == ("suspended", (), [1, 2])
        assert "$0.30 spent of $0.20" in result.reason  # nobody knows beforehand what this model will cost


def test_an_answer_that_may_not_be_covered_is_not_asked_for(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="run", money="0.00001"), *LOOKS, name=PRICED) as opened:
        result = ran(opened, look)
        assert (result.status, done) == ("suspended", [])
        assert not told(opened, result.run, Kind.MODEL_ANSWERED)
        assert "The budget b (policy.toml:1) stops the run" in result.reason
        assert "%agent waive b --budget --reason" in result.reason


def test_what_nobody_knows_the_price_of_is_not_covered_by_money(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="run", money="5"), "done", name="openai:no-such-model") as opened:
        result = ran(opened)
        assert result.status == "suspended"
        assert "nobody knows what openai:no-such-model costs" in result.reason
        assert "Limit tokens there instead, or %agent waive b --budget --reason" in result.reason  # more would not help


def test_a_runs_own_budget_without_a_price_asks_for_a_model_that_has_one(tmp_path: Path) -> None:
    with session(tmp_path, "", "done", name="openai:no-such-model") as opened:
        result = ran(opened, budget=Decimal(5))
        assert f"%agent resume {result.run} --model NAME goes on with a priced one" in result.reason


def test_tokens_are_reckoned_before_they_are_spent(tmp_path: Path) -> None:
    turns = [Turn(says, usage=Usage(400, 20)) for says in LOOKS]
    with session(tmp_path, budget(per="run", tokens=1_200), *turns) as opened:
        result = ran(opened, look)
        spent = sum([(event.input_tokens or 0) + (event.output_tokens or 0) for event in opened.events(result.run)])
        assert (result.status, 0 < spent <= 1_200) == ("suspended", True)
        assert told(opened, result.run, Kind.RUN_SUSPENDED)[0].body["budget"]["kind"] == "tokens"


def test_of_a_batch_the_calls_that_are_covered_run(tmp_path: Path) -> None:
    batch = [call("look", at=number) for number in range(5)]
    with session(tmp_path, budget(per="run", calls=3), batch, "done") as opened:
        result = ran(opened, look)
        assert (result.status, sorted(done)) == ("suspended", [0, 1, 2])
        (tmp_path / ".assent" / "policy.toml").write_text(budget(per="run", calls=5))
        assert resumed(opened, result.run).status == "finished"
        assert sorted(done) == [0, 1, 2, 3, 4]


def test_lines_are_known_afterwards_so_the_stop_comes_after_the_call(tmp_path: Path) -> None:
    path = str(tmp_path / "notes.txt")
    turns = [call("write", path=path, lines=7)], [call("write", path=path, lines=4)], [call("look")], "done"
    with session(tmp_path, budget(per="run", lines=10, files=1), *turns) as opened:
        result = ran(opened, look, write)
        assert (result.status, done) == ("suspended", [])
        assert "11 lines spent of 10 lines" in result.reason
        (tmp_path / ".assent" / "policy.toml").write_text(budget(per="run", lines=11, files=1))
        assert resumed(opened, result.run).status == "finished"


def test_files_that_the_analysts_own_tools_write_count_as_those_of_python_do(tmp_path: Path) -> None:
    batch = [call("write", path=str(tmp_path / f"{number}.txt"), lines=1) for number in range(3)]
    with session(tmp_path, budget(per="run", files=2), batch, [call("look")], "done") as opened:
        result = ran(opened, look, write, parallel=3)
        assert (result.status, done) == ("suspended", [])
        assert "3 files spent of 2 files" in result.reason


def test_the_warning_comes_once(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="run", calls=4, warn_at=1) + "", *LOOKS) as opened:
        assert not told(opened, ran(opened, look).run, Kind.BUDGET_WARNED)
    (tmp_path / "more").mkdir()
    with session(tmp_path / "more", budget(per="run", calls=4), *LOOKS[:3], [call("look")], "done") as opened:
        run = ran(opened, look).run
        [warned] = told(opened, run, Kind.BUDGET_WARNED)
        assert (warned.body["kind"], warned.body["text"]) == ("calls", "4 calls spent of 4 calls")


def test_a_runs_own_budget_is_kept_and_raised_as_it_goes_on(tmp_path: Path) -> None:
    with session(tmp_path, "", *LOOKS) as opened:
        result = ran(opened, look, budget=Decimal("0.10"))
        assert result.status == "suspended"
        assert f"%agent resume {result.run} --budget DOLLARS" in result.reason
        again = resumed(opened, result.run)
        assert (again.status, done) == ("suspended", [1])  # the budget is the same: what is spent counts
        assert resumed(opened, result.run, budget=Decimal("1")).status == "finished"


def test_a_fork_pays_for_its_own_steps_only(tmp_path: Path) -> None:
    with session(tmp_path, "", *LOOKS) as opened:
        run = ran(opened, look, budget=Decimal("0.30")).run
        fork = asyncio.run(opened.drain(ForkRun(run, at=2)))
        assert fork.status == "finished"
        opening = told(opened, fork.run, Kind.BUDGET_OPENED)[0].body["budgets"][0]
        assert (opening["limits"], opening["spent"]) == ({"money": "0.3"}, {"money": "0"})


@pytest.mark.parametrize("value", [Decimal("-1"), Decimal("NaN"), Decimal("0.0000000001"), True, "much"])
def test_an_amount_that_is_none_is_refused(tmp_path: Path, value: Any) -> None:
    with session(tmp_path, "", "done") as opened, pytest.raises(ConfigError, match=r"0\.50"):
        ran(opened, budget=value)


def test_all_runs_of_a_day_spend_of_one_budget(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="day", calls=4), *LOOKS) as opened:
        assert ran(opened, look).status == "finished"
        second = ran(opened, look)
        assert (second.status, done) == ("suspended", [1, 2, 3, 1])
        assert told(opened, second.run, Kind.BUDGET_OPENED)[0].body["budgets"][0]["spent"] == {"calls": "3"}


def test_each_agent_has_its_own(tmp_path: Path) -> None:
    policy = budget(per="agent", calls=3) + budget("c", per="run", agent="nobody", calls=0)
    with session(tmp_path, policy, *LOOKS) as opened:
        opened.define(Agent(name="nobody"))
        for name in ("one", "two"):
            assert asyncio.run(opened.run(Agent(name=name, tools=(look,)), "Go.")).status == "finished"
        assert asyncio.run(opened.run(Agent(name="one", tools=(look,)), "Go.")).status == "suspended"


def test_a_waiver_lets_it_pass_and_is_named(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="run", calls=1), *LOOKS) as opened:
        result = ran(opened, look)
        assert result.status == "suspended"
        waiver = opened.waivers.give(budget="b", reason="month end", until="2h", by="ana")
        assert resumed(opened, result.run).status == "finished"
        [passed] = told(opened, result.run, Kind.BUDGET_WAIVED)
        assert passed.body["waiver"] == waiver.id
        assert waiver.note[1] in passed.body["text"]


def test_a_waiver_that_expires_while_the_run_is_at_work_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = CLOCK.now() + 7200 + 1

    def tomorrow(_: Any) -> list[Any]:
        monkeypatch.setattr(CLOCK, "now", lambda: late)
        return [call("look", at=3)]

    with session(tmp_path, budget(per="run", calls=1), *LOOKS[:2], tomorrow, "done") as opened:
        opened.waivers.give(budget="b", reason="month end", until="2h", by="ana")
        result = ran(opened, look)
        assert (result.status, done) == ("suspended", [1, 2])
        assert "The budget b" in result.reason


def test_the_estimate_tells_of_past_runs(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="run", calls=10), *LOOKS, name=PRICED) as opened:
        first = told(opened, ran(opened, look).run, Kind.BUDGET_OPENED)[0].body["estimate"]
        assert (first["runs"], Decimal(first["least"]) > 0, first["tokens"] > 50) == (0, True, True)
        second = told(opened, ran(opened, look).run, Kind.BUDGET_OPENED)[0].body["estimate"]
        assert (second["runs"], Decimal(second["median"]), Decimal(second["most"])) == (
            1,
            Decimal("0.4"),
            Decimal("0.4"),
        )


def test_a_budget_that_is_set_meanwhile_holds_from_the_next_step(tmp_path: Path) -> None:
    def tightened(_: Any) -> list[Any]:
        (tmp_path / ".assent" / "policy.toml").write_text(budget(per="run", calls=2))
        return [call("look", at=3)]

    with session(tmp_path, "", *LOOKS[:2], tightened, "done") as opened:
        result = ran(opened, look)
        assert (result.status, done) == ("suspended", [1, 2])
        assert "2 calls spent of 2 calls" in result.reason


def test_raising_a_budget_voids_no_approval(tmp_path: Path) -> None:
    with session(tmp_path, budget(per="run", calls=0), [call("look", at=1)], "done") as opened:
        waiting = ran(opened, look, policy={"look": "ask"}).pending
        approve(opened, waiting[0].call)
        assert resumed(opened, waiting[0].run).status == "suspended"
        (tmp_path / ".assent" / "policy.toml").write_text(budget(per="run", calls=1))
        assert (resumed(opened, waiting[0].run).status, done) == ("finished", [1])
