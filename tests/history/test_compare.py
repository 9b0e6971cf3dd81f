"""Runs side by side: what came of each, at what price, where they parted."""

import asyncio
from pathlib import Path

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed

from assent.core.commands import ForkRun
from assent.core.errors import ConfigError
from assent.core.events import Kind
from assent.core.messages import ToolCall
from assent.history.compare import LINES, compare
from assent.tools.tool import tool


@tool(privilege="read_only")
def look(at: str) -> str:
    return f"saw {at}"


@tool(privilege="execute_risky")
def act(x: int) -> str:
    return f"acted {x}"


def test_each_aspect_of_each_run(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], "It is\nred.", "It is\nblue.", tools=(look,)) as session:
        run = ran(session, look, prompt="Which?").run
        fork = asyncio.run(session.drain(ForkRun(run, prompt="Sure?"))).run
        found = compare(session.journal, [run, fork])
    aspects = {name: list(values) for name, values in found.aspects.items()}
    seconds = aspects.pop("seconds")
    assert all(0 <= value < 60 for value in seconds)
    assert found.runs == (run, fork)
    assert aspects == {
        "question": ["Which?", "Sure?"],
        "fork of": ["", f"{run} after step 2"],
        "model": ["scripted:script", "scripted:script"],
        "status": ["finished", "finished"],
        "answer": ["It is\nred.", "It is\nblue."],
        "steps": [2, 3],
        "shared steps": [0, 2],
        "calls": [1, 1],
        "input tokens": [20, 10],
        "output tokens": [10, 5],
        "cost": [0.0, 0.0],
        "first difference": ["step 3", "step 3"],
        "what it did there": ["nothing", "It is blue."],
    }
    assert found.difference.splitlines() == [
        f"--- {run}", f"+++ {fork}", "@@ -1,2 +1,2 @@", " It is", "-red.", "+blue.",
    ]  # fmt: skip


def test_the_first_step_at_which_they_parted(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], [call("look", at="b")], "done", tools=(look,)) as session:
        run = ran(session, look).run
        same = asyncio.run(session.drain(ForkRun(run, 0))).run
        other = asyncio.run(session.drain(ForkRun(run, call="2", arguments={"at": "c"}))).run
        assert compare(session.journal, [run, same]).aspects["first difference"] == ("none", "none")
        assert compare(session.journal, [run, same]).difference == ""
        aspects = compare(session.journal, [run, same, other]).aspects
    assert aspects["first difference"] == ("step 2",) * 3
    did = [f'look {{"at": "{at}"}}; look gave: saw {at}' for at in "bbc"]
    assert aspects["what it did there"] == tuple(did)


def test_a_models_way_with_spaces_is_no_difference(tmp_path: Path) -> None:
    ways = iter(['{"at":   "a"}', '{"at": "a"}'])
    with opened(tmp_path, lambda _: ToolCall("", "look", next(ways)), "done", tools=(look,)) as session:
        runs = [ran(session, look).run, ran(session, look).run]
        assert compare(session.journal, runs).aspects["first difference"] == ("none", "none")


def test_a_run_without_an_answer_says_why(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1)], "done", tools=(act,)) as session:
        run, other = ran(session, act).run, ran(session, act).run
        approve(session, f"{run}.1")
        resumed(session, run)
        aspects = compare(session.journal, [run, other]).aspects
    assert aspects["status"] == ("finished", "suspended")
    assert aspects["answer"][1].endswith(f"waiting for approval: {other}.1")


def test_a_pause_is_no_work(tmp_path: Path) -> None:
    with opened(tmp_path, "a", "b", tools=()) as session:
        first, second = ran(session).run, ran(session).run
        scope, last = session.state(first).scope, session.journal.events(first)[-1].at
        later = [
            scope.event(Kind.RUN_RESUMED, at=last + 1000),
            scope.event(Kind.RUN_CANCELLED, at=last + 3000, body={"reason": ""}),
        ]
        before = compare(session.journal, [first, second]).aspects["seconds"][0]
        session.journal.append(later).result()
        assert compare(session.journal, [first, second]).aspects["seconds"][0] == before


def test_a_long_difference_is_cut(tmp_path: Path) -> None:
    texts = ["\n".join(f"{name} {number}" for number in range(100)) for name in "ab"]
    with opened(tmp_path, *texts, tools=()) as session:
        run = ran(session).run
        fork = asyncio.run(session.drain(ForkRun(run, prompt="Again."))).run
        lines = compare(session.journal, [run, fork]).difference.splitlines()
    assert len(lines) == LINES + 1
    assert lines[-1].startswith("… ")


@pytest.mark.parametrize("number", [0, 1])
def test_one_run_is_none_to_compare(tmp_path: Path, number: int) -> None:
    with opened(tmp_path, "a", tools=()) as session:
        run = ran(session).run
        with pytest.raises(ConfigError, match="two runs or more"):
            compare(session.journal, [run] * number * 2)
