"""A strict run: a plan that a person approves, then a question for each effect."""

import asyncio
from pathlib import Path

import pytest
from tests.support.calls import call
from tests.support.deeds import done
from tests.support.sessions import approve, opened, ran, reject, results, resumed

from assent.core.commands import ForkRun
from assent.core.errors import ConfigError
from assent.core.run_mode import PLAN
from assent.tools.tool import tool


@tool(privilege="read_only")
def look() -> str:
    return "seen"


@tool(privilege="execute_safe")
def note(line: int) -> str:
    done.append(f"note {line}")
    return "noted"


TOOLS = (look, note)
PLANNED = call(PLAN, steps=["Note 1."])


def test_nothing_is_done_before_a_plan(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look"), call("note", line=1)], "done") as session:
        result = ran(session, *TOOLS, mode="strict")
        seen, denied = results(session, result.run)
        assert (seen.text, done) == ("seen", [])
        assert denied.text.startswith("Denied: this run is strict")
        assert "call plan(steps=[…])" in denied.text


def test_what_stands_beside_the_plan_comes_too_early(tmp_path: Path) -> None:
    with opened(tmp_path, [PLANNED, call("note", line=1)], "done", tools=TOOLS) as session:
        run = ran(session, *TOOLS, mode="strict").run
        [asked] = session.pending()
        assert (asked.tool, asked.arguments, asked.grantable) == (PLAN, {"steps": ["Note 1."]}, False)
        assert asked.preview is not None
        assert asked.preview.effects == ("Step 1: Note 1.",)
        approve(session, asked.call)
        assert resumed(session, run).status == "finished"
        assert done == []


def test_after_the_plan_each_effect_asks(tmp_path: Path) -> None:
    turns = [PLANNED, call("note", line=1), call("note", line=2), "done"]
    with opened(tmp_path, *turns, tools=TOOLS) as session:
        run = ran(session, *TOOLS, mode="strict").run
        approve(session, f"{run}.1")
        assert resumed(session, run).status == "suspended"
        assert session.state(run).plan == ("Note 1.",)
        with pytest.raises(ConfigError, match="cannot be allowed"):
            approve(session, f"{run}.2", scope="run")
        approve(session, f"{run}.2", arguments={"line": 7})  # an edit is decided under the plan, too
        assert resumed(session, run).status == "suspended"
        reject(session, f"{run}.3")
        assert resumed(session, run).status == "finished"
        assert done == ["note 7"]


def test_a_rejected_plan_lets_it_make_another_one(tmp_path: Path) -> None:
    turns = [PLANNED, call("note", line=1), call(PLAN, steps=["Note 2."]), call("note", line=2), "done"]
    with opened(tmp_path, *turns, tools=TOOLS) as session:
        run = ran(session, *TOOLS, mode="strict").run
        reject(session, f"{run}.1", "not that")
        assert resumed(session, run).status == "suspended"  # at the second plan
        rejected, denied = results(session, run)
        assert rejected.text == "The analyst rejected this call: not that"
        assert denied.text.startswith("Denied: this run is strict")
        approve(session, f"{run}.3", arguments={"steps": ["Note 2.", "Stop."]})
        resumed(session, run)
        assert "2. Stop." in results(session, run)[2].text  # the plan as it was approved
        approve(session, f"{run}.4")
        assert resumed(session, run).status == "finished"
        assert done == ["note 2"]


def test_a_plan_without_a_step_is_none(tmp_path: Path) -> None:
    with opened(tmp_path, call(PLAN, steps=[]), "done", tools=TOOLS) as session:
        result = ran(session, *TOOLS, mode="strict")
        assert result.status == "finished"
        assert results(session, result.run)[0].text.startswith("Wrong arguments for plan")


def test_nobody_there_to_ask_means_no_plan(tmp_path: Path) -> None:
    with opened(tmp_path, PLANNED, call("note", line=1), "done", tools=TOOLS) as session:
        run = ran(session, *TOOLS, mode="strict", on_ask="deny").run
        assert "strict" in results(session, run)[1].text
        assert done == []


def test_a_fork_has_its_plan_approved_anew(tmp_path: Path) -> None:
    turns = [PLANNED, "done", call("note", line=1), "done"]
    with opened(tmp_path, *turns, tools=TOOLS) as session:
        run = ran(session, *TOOLS, mode="strict").run
        approve(session, f"{run}.1")
        resumed(session, run)
        fork = asyncio.run(session.drain(ForkRun(run, at=1, prompt="Go on."))).run
        assert session.state(run).plan == ("Note 1.",)
        assert (session.state(fork).mode, session.state(fork).plan) == ("strict", ())
        assert done == []


def test_a_tool_of_that_name_is_in_the_way(tmp_path: Path) -> None:
    @tool
    def plan() -> str:
        return "mine"

    with opened(tmp_path, call("plan"), "done") as session:
        with pytest.raises(ConfigError, match="'plan' of its own"):
            ran(session, plan, mode="strict")
        assert ran(session, plan).status == "suspended"  # and where the run is not strict it is not


def test_replayed_it_is_the_same(tmp_path: Path) -> None:
    with opened(tmp_path, PLANNED, call("note", line=1), "done", tools=TOOLS) as session:
        run = ran(session, *TOOLS, mode="strict").run
        approve(session, f"{run}.1")
        resumed(session, run)
        approve(session, f"{run}.2")
        resumed(session, run)
        assert done == ["note 1"]
        assert str(asyncio.run(session.replay(run))).startswith("identical")
        assert done == ["note 1"]
