"""A run once more over its recorded answers: the same, or the first difference; nothing is asked or run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.history.recorded import call
from tests.support.deeds import act, done, look
from tests.support.sessions import approve, opened, ran, reject, resumed, started, until

from assent.app import Session
from assent.core.commands import ForkRun
from assent.core.errors import ModelError
from assent.core.events import Kind
from assent.core.messages import Reasoning, Text, ToolCall
from assent.history.replay import Replayed
from assent.store import cut_off
from assent.tools.tool import Tool, tool


def replayed(session: Session, run: str) -> Replayed:
    """The replay, which must have no effect: no tool is run, the journal does not grow."""
    before, seq = len(done), session.journal.select("SELECT max(seq) FROM events")
    result = asyncio.run(session.replay(run))
    assert len(done) == before
    assert session.journal.select("SELECT max(seq) FROM events") == seq
    return result


def test_a_run_with_calls_is_identical(tmp_path: Path) -> None:
    calls = (call("look", 1, at="a"), call("look", 2, at="b"), call("nothing", 3))
    with opened(tmp_path, (Reasoning("Let me see."), Text("Looking."), *calls), "Seen.", tools=(look,)) as session:
        run = ran(session, look).run
        result = replayed(session, run)
    assert (result.difference, result.steps, result.rules) == ("", 2, False)
    assert str(result) == "identical: 11 events, 2 steps."


def test_answers_of_people_count_as_they_were_given(tmp_path: Path) -> None:
    turns = ((call("act", 1, what="one"), call("act", 2, what="two")), "Done.")
    with opened(tmp_path, *turns, tools=(act,)) as session:
        run = ran(session, act).run
        first, second = session.pending(run)
        reject(session, second.call, "No.")
        approve(session, first.call, arguments={"what": "another"})
        resumed(session, run)
        result = replayed(session, run)
    assert result.difference == ""
    assert done[-1] == "act another"


def test_an_answer_in_time_is_given_with_the_question(tmp_path: Path) -> None:
    async def answered(session: Session) -> str:
        stream = session.submit(started(act, on_ask="wait"))
        asked = await until(stream, Kind.CALL_DECIDED)
        approve(session, asked.call or "", scope="run")
        await until(stream, Kind.RUN_FINISHED)
        return asked.run or ""

    turns = (call("act", 1, what="one"), call("act", 2, what="two"), "Done.")
    with opened(tmp_path, *turns, tools=(act,)) as session:
        run = asyncio.run(answered(session))
        result = replayed(session, run)
    assert (result.difference, result.steps) == ("", 3)


def test_a_run_where_nobody_could_be_asked_is_denied_again(tmp_path: Path) -> None:
    with opened(tmp_path, call("act", what="one"), "Not done.", tools=(act,)) as session:
        run = ran(session, act, on_ask="deny").run
        assert replayed(session, run).difference == ""


def test_a_failure_and_what_followed_it(tmp_path: Path) -> None:
    answers = iter([ModelError("It is overloaded."), "Seen."])
    with opened(tmp_path, call("look", at="a"), lambda _: next(answers), tools=(look,)) as session:
        run = ran(session, look).run
        assert session.state(run).status == "failed"
        assert replayed(session, run).difference == ""
        assert resumed(session, run).status == "finished"
        result = replayed(session, run)
    assert (result.difference, result.steps) == ("", 2)


def test_a_defect_is_no_doing_of_the_run(tmp_path: Path) -> None:
    with opened(tmp_path, call("look", at="a"), RuntimeError("a defect"), tools=(look,)) as session:
        run = ran(session, look).run
        assert session.state(run).reason == "Assent itself failed: RuntimeError: a defect"
        result = replayed(session, run)
    assert (result.difference, result.steps) == ("", 1)


def test_calls_that_ran_together_may_have_ended_in_any_order(tmp_path: Path) -> None:
    gate = asyncio.Event()

    @tool(privilege="read_only")
    async def slow() -> str:
        """Wait for the quick one."""
        await gate.wait()
        return "slow"

    @tool(privilege="read_only")
    async def quick() -> str:
        """Let the slow one go."""
        gate.set()
        return "quick"

    with opened(tmp_path, (call("slow", 1), call("quick", 2)), "Both.", tools=(slow, quick)) as session:
        run = ran(session, slow, quick).run
        ended = [event.tool for event in session.journal.events(run) if event.kind is Kind.CALL_FINISHED]
        assert ended == ["quick", "slow"]
        assert replayed(session, run).difference == ""


def test_what_was_stopped_from_outside_is_compared_up_to_there(tmp_path: Path) -> None:
    @tool(privilege="read_only")
    async def endless() -> str:
        """Never end."""
        await asyncio.Event().wait()
        return ""

    async def stopped(session: Session) -> str:
        stream = session.submit(started(endless, look))
        event = await until(stream, Kind.CALL_FINISHED)
        await stream.aclose()
        return event.run or ""

    turns = ((call("endless", 1), call("look", 2, at="a")), "Done.")
    with opened(tmp_path, *turns, tools=(endless, look)) as session:
        run = asyncio.run(stopped(session))
        assert session.state(run).status == "cancelled"
        result = replayed(session, run)
    assert (result.difference, result.steps) == ("", 1)


def test_a_kernel_that_died_while_a_call_waited_is_no_difference(tmp_path: Path) -> None:
    async def asked(session: Session) -> str:
        stream = session.submit(started(act, on_ask="wait"))
        event = await until(stream, Kind.CALL_DECIDED)
        gone = session.state(event.run or "").scope.event(Kind.RUN_SUSPENDED, body={"reason": cut_off.REASON})
        session.journal.append([gone]).result()  # as the next kernel finds it
        await stream.aclose()
        return event.run or ""

    with opened(tmp_path, call("act", what="one"), "Done.", tools=(act,)) as session:
        run = asyncio.run(asked(session))
        assert replayed(session, run).difference == ""
        approve(session, f"{run}.1")
        resumed(session, run)
        result = replayed(session, run)
    assert (result.difference, result.steps) == ("", 2)


def test_a_fork_is_gone_through_from_where_it_left(tmp_path: Path) -> None:
    with opened(tmp_path, call("look", at="a"), "Seen.", tools=(look,)) as session:
        run = ran(session, look).run
        fork = asyncio.run(session.drain(ForkRun(run, at=1))).run
        result = replayed(session, fork)
    assert (result.difference, result.steps) == ("", 1)


def changed(folder: Path, then: Tool[..., Any], now: Tool[..., Any], arguments: str = '{"what": "one"}') -> Replayed:
    """A run with the one tool, replayed in a session that has the other."""
    with opened(folder, ToolCall("c1", "act", arguments), "Done.", tools=(then,)) as session:
        run = ran(session, "act").run
        for item in session.pending(run):
            approve(session, item.call)
            resumed(session, run)
    with opened(folder, tools=(now,)) as session:
        return replayed(session, run)


def test_a_privilege_that_was_lowered_is_the_first_difference(tmp_path: Path) -> None:
    result = changed(tmp_path, act, tool(name="act", privilege="read_only")(act.function))
    assert result.difference.startswith("The first difference is event 2, in step 1, call_decided of act (")
    assert result.difference.endswith("): its decision\n  then  'ask'\n  now   'allow'")


def test_a_schema_that_was_narrowed_is_the_first_difference(tmp_path: Path) -> None:
    @tool(name="act", privilege="execute_safe")
    async def wide(what: str) -> str:
        """Do something."""
        return what

    @tool(name="act", privilege="execute_safe")
    async def narrow(what: int) -> str:
        """Do something."""
        return str(what)

    result = changed(tmp_path, wide, narrow)
    assert "its decision\n  then  'allow'\n  now   'deny'" in result.difference


def test_other_code_that_makes_no_difference_is_said(tmp_path: Path) -> None:
    @tool(name="act", privilege="execute_safe")
    async def old(what: str) -> str:
        """Do something."""
        return what

    @tool(name="act", privilege="execute_safe")
    async def new(what: str) -> str:
        """Do something."""
        return what + "!"

    result = changed(tmp_path, old, new)
    assert result.difference == ""
    assert str(result).endswith("steps. The tools or rules are others than then, and decided the same.")


def test_a_typed_answer_is_read_again(tmp_path: Path) -> None:
    with opened(tmp_path, "none", '{"value": 3}') as session:
        run = ran(session, output_type="int").run
        result = replayed(session, run)
        assert (result.difference, result.steps) == ("", 2)


def test_a_journal_that_tells_otherwise_differs_in_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, call("look", at="a"), "Seen.", tools=(look,)) as session:
        run = ran(session, look).run
        monkeypatch.setattr("assent.runs.propose.misfit", lambda *_: "other words")
        assert replayed(session, run).difference == ""
        with opened(tmp_path, call("look", number=1), "No.", tools=(look,)) as other:
            failed = ran(other, look).run
        monkeypatch.setattr("assent.runs.propose.misfit", lambda *_: "quite other words")
        difference = replayed(session, failed).difference
    assert "call_finished of look" in difference
    assert "its text\n  then  'other words'\n  now   'quite other words'" in difference
