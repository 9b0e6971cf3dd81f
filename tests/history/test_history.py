"""A run told as rows: turns, calls with who decided them, what became of the run; a fork's shared rows are marked."""

import asyncio
from pathlib import Path

from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, reject, resumed

from assent.app import Session
from assent.core.commands import ForkRun
from assent.core.errors import ModelError
from assent.core.events import Kind
from assent.core.messages import Text
from assent.history.history import Row, history, short
from assent.tools.tool import tool


@tool(privilege="read_only")
def look(at: str) -> str:
    return f"saw {at}"


@tool(privilege="execute_risky")
def act(x: int, y: int = 0) -> str:
    return f"acted {x}"


def told(session: Session, run: str) -> list[Row]:
    return history(session.journal, run)


def by_call(rows: list[Row]) -> dict[str, Row]:
    return {row.call.rpartition(".")[2]: row for row in rows if row.call}


def test_turns_and_calls_in_the_order_of_the_conversation(tmp_path: Path) -> None:
    turns = [Text("Let me see."), call("look", at="a"), call("look", at="b")], "Both seen."
    with opened(tmp_path, *turns, tools=(look,)) as session:
        rows = told(session, ran(session, look, prompt="Look.").run)
    assert [(row.step, row.what, row.text) for row in rows] == [
        (None, "question", "Look."),
        (1, "turn", "Let me see."),
        (1, "call", "a"),
        (1, "call", "b"),
        (2, "answer", "Both seen."),
        (2, "finished", ""),
    ]
    turn, first = rows[1], rows[2]
    assert (turn.input_tokens, turn.output_tokens, turn.cost, turn.model) == (10, 5, 0.0, "scripted:script")
    assert turn.seconds is not None
    assert (first.tool, first.decision, first.by, first.result) == ("look", "allow", "policy", "saw a")
    assert first.seconds is not None


def test_who_decided_what(tmp_path: Path) -> None:
    calls = [call("act", x=1), call("act", x=2), call("act", x=3), call("nothing"), call("act", x=4)]
    with opened(tmp_path, calls, "done", tools=(act,)) as session:
        run = ran(session, act).run
        approve(session, f"{run}.1", by="ada")
        reject(session, f"{run}.2", "no")
        approve(session, f"{run}.3", by="ada", arguments={"x": 30})
        rows = by_call(told(session, run))
        assert (rows["1"].result, rows["5"].result) == ("has not begun", "waits for approval")
        assert (rows["5"].decision, rows["5"].by) == ("ask", "")
        approve(session, f"{run}.5", by="eve")
        resumed(session, run)
        rows = by_call(told(session, run))
    assert [(rows[number].decision, rows[number].by) for number in "1345"] == [
        ("approve", "ada"), ("approve, edited", "ada"), ("deny", "policy"), ("approve", "eve"),
    ]  # fmt: skip
    assert (rows["2"].decision, rows["2"].result) == ("reject", "failed: The analyst rejected this call: no")
    assert (rows["3"].text, rows["3"].result) == ('{"x": 30}', "acted 30")


def test_what_became_of_the_run(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1)], ModelError("The server is gone."), tools=(act,)) as session:
        run = ran(session, act).run
        session.cancel(run, "not now")
        resumed(session, run)
        approve(session, f"{run}.1")
        resumed(session, run)
        rows = [row for row in told(session, run) if row.what not in ("turn", "call")]
    assert [(row.step, row.what) for row in rows] == [
        (None, "question"), (1, "suspended"), (None, "cancelled"), (None, "resumed"), (1, "suspended"),
        (None, "resumed"), (2, "model failed"), (1, "failed"),
    ]  # fmt: skip
    assert rows[2].text == "not now"
    assert rows[-1].text == "The server is gone."


def test_an_outcome_that_nobody_knows(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1)], "done", tools=(act,)) as session:
        run = ran(session, act).run
        approve(session, f"{run}.1")
        scope = session.state(run).scope
        begun = scope.event(Kind.CALL_STARTED, step=1, call=f"{run}.1", tool="act", privilege="execute_risky")
        session.journal.append([begun]).result()
        assert by_call(told(session, run))["1"].result == "began; nobody recorded how it ended"
        resumed(session, run)
        assert by_call(told(session, run))["1"].result == "its outcome is unknown"


def test_the_rows_that_a_fork_shares_are_marked_by_whose_they_are(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], "one", "two", "three", tools=(look,)) as session:
        run = ran(session, look).run
        fork = asyncio.run(session.drain(ForkRun(run, prompt="And?"))).run
        last = asyncio.run(session.drain(ForkRun(fork, prompt="Then?"))).run
        edited = asyncio.run(session.drain(ForkRun(last, call="1", arguments={"at": "z"}))).run
        rows = told(session, last)
        assert [(row.what, row.shared_with) for row in rows] == [
            ("question", run), ("turn", run), ("call", run), ("answer", run),
            ("fork", fork), ("answer", fork),
            ("fork", ""), ("answer", ""), ("finished", ""),
        ]  # fmt: skip
        assert [row.text for row in rows if row.what == "fork"] == [
            f"of {run} after step 2: And?", f"of {fork} after step 3: Then?",
        ]  # fmt: skip
        assert rows[2].call == f"{last}.1"
        rows = told(session, edited)
        assert [(row.what, row.text, row.result, row.shared_with) for row in rows[1:4]] == [
            ("turn", "", "", run),
            ("call", "z", "saw z", ""),
            ("fork", f"of {last} after step 1, with {edited}.1 edited", "", ""),
        ]  # fmt: skip


def test_a_long_text_is_one_short_line() -> None:
    assert short("a\n  b\tc") == "a b c"
    assert short("x" * 300) == "x" * 199 + "…"
