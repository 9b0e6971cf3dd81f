"""What a fork shares, at every step of a run to which everything has happened."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.runs.test_state import eventful
from tests.support.sessions import opened

from assent.core.commands import ForkRun
from assent.core.errors import NotFound
from assent.core.events import Event, Kind, Scope
from assent.core.ids import ordinal, run_of
from assent.history.fork import forked
from assent.runs.branch import events, shared
from assent.runs.state import State, fold

pytestmark = pytest.mark.usefixtures("people")


def branched(told: list[Event], at: int, run: str = "f") -> tuple[list[Event], Event]:
    """What a fork after that step shares, and the event with which it begins."""
    begun = replace(forked(told, ForkRun("", at), Scope(run), "m", {}), seq=10_000)
    return shared(told, begun), begun


def origin_at(told: list[Event], at: int) -> State:
    """Where the run stood when the model was asked for the step after that one."""
    later = [event.seq for event in told if event.kind is Kind.MODEL_ANSWERED and (event.step or 0) > at]
    return fold([event for event in told if event.seq < min(later, default=10_000)])


def test_the_conversation_up_to_each_step_is_that_of_the_run(tmp_path: Path) -> None:
    told, run = eventful(tmp_path)
    for at in range(1, 5):
        prefix, begun = branched(told, at)
        state, origin = fold([*prefix, begun]), origin_at(told, at)
        assert state.messages == origin.messages, at
        assert (state.run, state.step, state.calls, state.ids) == ("f", at, origin.calls, origin.ids)
        assert (state.status, state.answer, state.budget) == ("running", "", 1)
        assert [ordinal(call) for call in state.last_calls] == [ordinal(call) for call in origin.last_calls]
        assert {event.run for event in prefix} == {run_of(event.call) for event in prefix if event.call} == {"f"}
    assert {event.run for event in told} == {run}


def test_what_befell_the_run_is_not_shared(tmp_path: Path) -> None:
    told, _ = eventful(tmp_path)
    prefix, _ = branched(told, 4)
    assert {event.kind for event in prefix} == {
        Kind.RUN_STARTED, Kind.MODEL_ANSWERED, Kind.CALL_DECIDED, Kind.APPROVAL_DECIDED, Kind.CALL_STARTED,
        Kind.CALL_FINISHED,
    }  # fmt: skip
    assert {event.kind for event in told} - {event.kind for event in prefix} == {
        Kind.RUN_SUSPENDED, Kind.RUN_RESUMED, Kind.RUN_FAILED, Kind.RUN_FINISHED, Kind.GRANT_GIVEN,
    }  # fmt: skip


def test_from_the_beginning_nothing_is_shared(tmp_path: Path) -> None:
    told, _ = eventful(tmp_path)
    prefix, begun = branched(told, 0)
    assert prefix == []
    assert fold([begun]).messages == fold(told[:1]).messages


def test_a_chain_of_forks_is_told_as_one(tmp_path: Path) -> None:
    told, run = eventful(tmp_path)
    with opened(tmp_path) as session:
        for name in ("f1", "f2", "f3"):
            session.journal.append([forked(told, ForkRun("", 4), Scope(name, user=told[0].user), "m", {})]).result()
            told = session.events(name)
    assert {event.run for event in told} == {"f3"}
    begun = [event.body["fork"]["run"] for event in told if "fork" in event.body]
    assert begun == ["f2"]  # each took the steps of the first run, and nothing of what lay between
    assert run not in {run_of(event.call or "") for event in told}


def test_a_run_that_is_gone_cannot_be_shared(tmp_path: Path) -> None:
    told, run = eventful(tmp_path)
    begun = forked(told, ForkRun("", 2), Scope("f"), "m", {})
    with pytest.raises(NotFound, match=f"shares steps with the run {run}"):
        shared([], begun)


def test_no_run_has_no_events(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        assert events(session.journal, "nothing") == []
