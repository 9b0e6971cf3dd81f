"""A clock that is set back, or was ahead for a while: the journal's numbers give the order, and nothing is negative."""

import time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed
from tests.support.workspaces import prepare

from assent.core.events import Event, Kind, Scope, current_user
from assent.runs.state import fold
from assent.store.journal import Journal
from assent.tools.tool import tool

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event of a run is dated an hour before the one before it."""
    dated = Scope.event
    now = [time.time()]

    def event(scope: Scope, kind: Kind, **columns: Any) -> Event:
        now[0] -= HOUR
        return dated(scope, kind, **columns | {"at": now[0]})

    monkeypatch.setattr(Scope, "event", event)


@tool(privilege="execute_risky")
def mail() -> str:
    return "sent"


def test_a_run_goes_its_way_and_is_folded_as_it_went(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail"), call("mail"), "done", tools=(mail,)) as session:
        run = ran(session, mail).run
        for _ in range(2):
            [asked] = session.pending(run)
            approve(session, asked.call)
            resumed(session, run)
        assert session.result(run).text == "done"
        events = session.journal.events(run)
        assert [event.seq for event in events] == sorted(event.seq for event in events)
        assert all(later.at < event.at for event, later in pairwise(events))
        assert fold(events).answer == "done"
        assert session.journal.verify() == len(events)


def test_the_views_say_when_in_the_journals_order_and_no_time_is_negative(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail"), "done", tools=(mail,)) as session:
        first, second = ran(session, mail).run, ran(session, mail).run
        for run in (first, second):
            approve(session, f"{run}.1")
            resumed(session, run)
        runs = session.sql("SELECT run, status, answer, started, ended, seconds FROM runs")
        assert runs.run.tolist() == [first, second]
        assert (runs.started > runs.ended).all()
        assert (runs.seconds == 0).all()
        assert (runs.status == "finished").all()
        assert (runs.answer == "done").all()
        approvals = session.sql("SELECT run, verdict, waited FROM approvals")
        assert approvals.run.tolist() == [first, second]
        assert approvals.verdict.tolist() == ["approve", "approve"]
        assert (approvals.waited == 0).all()
        assert session.sql("SELECT status FROM tool_calls").status.tolist() == ["finished", "finished"]


def test_a_run_that_was_cut_off_is_taken_up_though_its_end_seems_to_come_first(tmp_path: Path) -> None:
    with opened(tmp_path, "done") as session:
        agent = session.agent("analyst").to_json()
    scope = Scope("r", None, "analyst", current_user())
    journal = Journal(prepare(tmp_path))
    journal.append([scope.event(Kind.RUN_STARTED, body={"prompt": "Go.", "agent": agent})]).result()
    journal.close()
    with opened(tmp_path, "done") as session:
        assert session.state("r").status == "suspended"
        assert resumed(session, "r").text == "done"


@pytest.mark.parametrize(("ahead", "counted"), [(-1800, 1800.0), (1800, 0.0), (400 * 86_400, None), (-7200, None)])
def test_money_spent_under_another_clock_counts_only_if_it_may_be_of_this_hour(
    tmp_path: Path, ahead: float, counted: float | None
) -> None:
    with opened(tmp_path, "done") as session:
        at = time.time() + ahead
        session.journal.append(
            [Event(kind=Kind.MODEL_ANSWERED, run="r", model="maker:m", at=at, cost=Decimal(3))]
        ).result()
        ages = [age for age, _ in session._catalog._spent("maker:m")]
        assert ages == ([] if counted is None else [pytest.approx(counted, abs=5)])
