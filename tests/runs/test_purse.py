"""What one run has of its budgets: counted by its events, begun anew on another day, reserved by shares."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from assent.core.budget import Budget
from assent.core.clock import CLOCK
from assent.core.events import Event, Kind, Scope
from assent.runs.purse import SHARE, Pot, Purse, nearly, pots_above, pots_of, purse

NOW = datetime(2026, 11, 21, 23, 59, tzinfo=UTC).timestamp()
SCOPE = Scope(run="r", agent="analyst", user="ana")
OWN = Budget("own", ("run",), {"calls": Decimal(5), "money": Decimal(1)})
DAILY = Budget("daily", ("day",), {"calls": Decimal(5)}, rule="policy.toml:1")


@pytest.fixture(autouse=True)
def the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CLOCK, "now", lambda: NOW)


def event(kind: Kind, after: float = 0, **columns: Any) -> Event:
    return Event(kind=kind, run="r", at=NOW + after, **columns)


def made(*budgets: Budget, told: tuple[Event, ...] = ()) -> Purse:
    found = purse(pots_of(budgets, SCOPE), told)
    assert found is not None
    return found


def test_budgets_of_others_are_none_of_its() -> None:
    others = [Budget("a", ("run",), OWN.limits, agent="clerk"), Budget("b", ("run",), OWN.limits, user="bob")]
    assert purse(pots_of(others, SCOPE), ()) is None
    assert [pot.budget for pot in made(*others, OWN).pots] == [OWN]


def test_what_it_has_done_before_counts_and_what_a_fork_shares_does_not() -> None:
    told = (event(Kind.RUN_STARTED), event(Kind.CALL_STARTED), event(Kind.CALL_STARTED))
    assert made(OWN, told=told).pots[0].spent["calls"] == 2
    assert made(OWN, told=(*told, event(Kind.RUN_STARTED), event(Kind.CALL_STARTED))).pots[0].spent["calls"] == 1


def test_another_day_begins_anew_and_a_clock_that_is_set_back_does_not_bring_the_old_one_back() -> None:
    found = made(DAILY)
    [pot] = found.pots
    found.hear(event(Kind.CALL_STARTED))
    assert (pot.spent, pot.key.endswith("day=2026-11-21")) == ({"calls": 1}, True)
    found.hear(event(Kind.CALL_STARTED, 120))
    assert (pot.spent, pot.until, pot.key.endswith("day=2026-11-22")) == ({"calls": 1}, {}, True)
    found.hear(event(Kind.CALL_STARTED, -3600))
    assert (pot.spent, pot.key.endswith("day=2026-11-22")) == ({"calls": 2}, True)


@pytest.mark.parametrize("budget", [OWN, DAILY])
def test_a_run_goes_as_far_as_it_reserved(budget: Budget) -> None:
    [pot] = made(budget).pots
    one = {"calls": Decimal(1)}
    assert pot.lacks(one)
    pot.until = {"calls": Decimal(2), "money": Decimal(1)}
    assert not pot.lacks(one)
    assert pot.lacks({"calls": Decimal(3)})


def test_a_run_is_under_what_each_run_above_it_has_for_itself_but_not_under_its_time() -> None:
    timed = Budget("timed", ("run",), {"seconds": Decimal(9), "calls": Decimal(1)})
    above = Scope(run="above", agent="clerk", user="ana")
    budgets = [timed, DAILY, Budget("time", ("run",), {"seconds": Decimal(9)}), replace(OWN, agent="analyst")]
    [pot] = pots_above(budgets, above)
    assert (pot.budget.name, pot.budget.limits, pot.above) == ("timed", {"calls": Decimal(1)}, True)
    pot.begin(NOW)
    assert pot.key == "timed  run=above"
    assert pot.told()["name"] == "timed of the run above"


def test_no_other_run_spends_of_a_runs_time() -> None:
    [pot] = made(Budget("time", ("run",), {"seconds": Decimal(9)})).pots
    assert (pot.part, pot.lacks({}), pot.wanted({}, {})) == (None, False, {})


def test_it_wants_what_it_needs_or_a_share_of_what_is_left() -> None:
    pot = Pot(Budget("b", ("day",), {"money": Decimal("1.6"), "calls": Decimal(100)}), SCOPE)
    pot.others = {"money": Decimal("0.8"), "calls": Decimal(20)}
    assert pot.wanted({"money": Decimal("0.3")}, {}) == {"money": Decimal("0.3"), "calls": 80 // SHARE}
    assert pot.wanted({}, {}) == {"money": Decimal("0.05"), "calls": 5}
    pot.others = {"money": Decimal("1.7"), "calls": Decimal(100)}
    assert pot.wanted({}, {}) == {"money": 0, "calls": 0}
    assert pot.short_of({}) == "money"


def test_tenths_add_up_exactly() -> None:
    [pot] = made(Budget("b", ("run",), {"money": Decimal("0.3")})).pots
    pot.until = dict(pot.budget.limits)
    for _ in range(3):
        assert not pot.lacks({"money": Decimal("0.1")})
        pot.add(event(Kind.MODEL_ANSWERED, cost=Decimal("0.1")))
    assert pot.spent == {"money": Decimal("0.3")}
    assert pot.lacks({"money": Decimal("0.000000001")})


def test_it_warns_once_also_when_it_is_taken_up_again() -> None:
    found = made(OWN)
    calls = [event(Kind.CALL_STARTED) for _ in range(4)]
    assert [len(found.hear(call)) for call in calls] == [0, 0, 0, 1]
    [pot] = found.pots
    assert nearly(pot) == "calls"
    warned = event(Kind.BUDGET_WARNED, body=pot.warning())
    assert found.hear(event(Kind.CALL_STARTED)) == []
    again = made(OWN, told=(*calls, warned))
    assert again.hear(event(Kind.CALL_STARTED)) == []
