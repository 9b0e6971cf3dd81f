"""A run's state is a fold over its events, and the live state is the same fold."""

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, reject, resumed, started, until

from assent.core.commands import Decide
from assent.core.errors import NotFound
from assent.core.events import Event, Kind
from assent.core.messages import Text
from assent.runs import loop
from assent.runs import run as runs
from assent.runs.state import State, apply, fold, pending
from assent.tools.tool import tool

pytestmark = pytest.mark.usefixtures("people")


@tool(privilege="read_only", source="none")
def look() -> str:
    return "saw"


@tool(privilege="execute_risky", source="none")
def risk(x: int = 0) -> str:
    return f"risked {x}"


@tool(privilege="super_admin", source="none")
def wipe() -> str:
    return "wiped"


def comparable(state: State) -> State:
    """Without the moment of asking: the journal keeps microseconds, the clock knows more."""
    state = copy.deepcopy(state)
    for item in state.batch.values():
        item.asked_at = item.heard_at = 0.0
    return state


def eventful(tmp_path: Path) -> tuple[list[Event], str]:
    """The events of a run with every kind of thing that can happen to one."""
    script = [
        [call("look"), call("risk", x=1), call("risk", x=2), call("wipe"), call("nothing")],
        [call("risk", x=3)],
        [call("risk", x=4)],
        "done",
    ]
    with opened(tmp_path, *script, tools=(look, risk, wipe)) as session:
        name = ran(session, look, risk, wipe, max_steps=1).run
        approve(session, f"{name}.2", arguments={"x": 9})
        reject(session, f"{name}.3", "not that one")
        approve(session, f"{name}.4", by="ada")
        approve(session, f"{name}.4", by="eve")
        assert resumed(session, name).status == "suspended"
        approve(session, f"{name}.6", scope="run")
        assert resumed(session, name).status == "failed"  # the step limit
        assert resumed(session, name).status == "finished"
        return session.journal.events(name), name


def test_every_beginning_of_a_run_folds_the_same_at_once_or_event_by_event(tmp_path: Path) -> None:
    events, _ = eventful(tmp_path)
    assert {event.kind for event in events} >= {
        Kind.RUN_STARTED, Kind.MODEL_ANSWERED, Kind.CALL_DECIDED, Kind.APPROVAL_DECIDED, Kind.CALL_STARTED,
        Kind.CALL_FINISHED, Kind.RUN_SUSPENDED, Kind.RUN_RESUMED, Kind.RUN_FAILED, Kind.RUN_FINISHED,
    }  # fmt: skip
    state = fold(events[:1])
    for number, event in enumerate(events[1:], 2):
        apply(state, event)
        assert state == fold(events[:number])
    assert (state.status, state.answer, state.calls, state.step) == ("finished", "done", 7, 4)
    assert [event.tool for event in events if event.kind is Kind.GRANT_GIVEN] == ["risk"]
    assert state.batch == {}


def test_the_live_state_is_the_fold_of_what_is_recorded_at_every_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: dict[int, State] = {}
    ends: list[State] = []

    def noted(state: State, event: Event) -> None:
        apply(state, event)
        states[id(event)] = comparable(state)
        ends.append(state)

    monkeypatch.setattr(runs, "apply", noted)
    monkeypatch.setattr(loop, "apply", noted)

    async def run(session: Any) -> list[Event]:
        heard: list[Event] = []
        session.journal.subscribe(heard.extend)
        stream = session.submit(started(look, risk, on_ask="wait"))
        asked = await until(stream, Kind.CALL_DECIDED, "ask")
        await asyncio.to_thread(session.decide, Decide(asked.call or "", "approve", arguments={"x": 5}))
        await until(stream, Kind.RUN_FINISHED)
        return heard

    with opened(tmp_path, [call("look")], [call("risk")], [call("look"), call("look")], "done") as session:
        heard = asyncio.run(run(session))
        recorded = session.journal.events(heard[0].run)
    assert [event.seq for event in heard] == [event.seq for event in recorded]
    compared = 0  # the events that listeners get are the very ones that the loop applied
    for number, event in enumerate(heard, 1):
        if id(event) in states:
            assert states[id(event)] == comparable(fold(recorded[:number])), event.kind
            compared += 1
    assert compared >= len(heard) - 1  # the first began the state
    assert ends[-1] == fold(recorded)


def test_asking_shows_what_a_card_needs(tmp_path: Path) -> None:
    with opened(tmp_path, [Text("I must."), call("risk", x=1), call("wipe")], "done") as session:
        name = ran(session, risk, wipe, notebook="n.ipynb", cell="c1").run
        approve(session, f"{name}.2", by="ada")
        risky, wiping = pending(session.state(name))
    assert (risky.call, risky.run, risky.agent, risky.tool) == (f"{name}.1", name, "tester", "risk")
    assert (risky.privilege, risky.arguments, risky.why) == ("execute_risky", {"x": 1}, "I must.")
    assert (risky.notebook, risky.cell, risky.grantable, risky.unknown) == ("n.ipynb", "c1", True, False)
    assert "execute_risky" in risky.asks
    assert (wiping.approvers, wiping.approved_by, wiping.grantable) == (2, ("ada",), False)


@pytest.mark.parametrize("events", [[], [Event(kind=Kind.RUN_FINISHED, run="r", body={"text": ""})]])
def test_what_does_not_begin_is_no_run(events: list[Event]) -> None:
    with pytest.raises(NotFound):
        fold(events)
