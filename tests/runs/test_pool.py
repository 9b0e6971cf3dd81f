"""What runs spend of a shared budget: the journal adds up as the fold does, and to look and to reserve is one act."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.workspaces import prepare

from assent.core.budget import KINDS, Budget, Meter
from assent.core.errors import Conflict
from assent.core.events import Event, Kind, Scope
from assent.runs.pool import in_journal, others, part_of, room
from assent.store.access import EVERYONE
from assent.store.journal import Journal
from assent.store.window import Window

DAY = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
ANA = Scope(run="mine", agent="analyst", user="ana")
ALL = Budget("b", ("day",), dict.fromkeys(KINDS, Decimal(1000)))


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    journal = Journal(prepare(tmp_path / "w"))
    yield Window(journal, EVERYONE, "default", "ana")
    journal.close()


def event(kind: Kind, at: float, run: str = "r", **columns: Any) -> Event:
    named = {"user": "ana", "agent": "analyst", **columns}
    return Event(kind=kind, run=run, at=DAY + at, **named)


def a_run(run: str = "r", since: float = 60, **columns: Any) -> list[Event]:
    """Two answers, two calls of which a person was asked about one, and a pause."""
    touched = {"files": ["/a", "/b"], "removed": ["/c"], "lines": 7}
    return [
        event(kind, since + at, run, **{**columns, **more})
        for kind, at, more in [
            (Kind.RUN_STARTED, 0, {"body": {"prompt": ""}}),
            (Kind.MODEL_ANSWERED, 2, {"input_tokens": 10, "output_tokens": 5, "cost": Decimal("0.000000001")}),
            (Kind.CALL_DECIDED, 2, {"call": f"{run}.1", "decision": "ask"}),
            (Kind.APPROVAL_DECIDED, 900, {"call": f"{run}.1", "decision": "approve"}),
            (Kind.CALL_STARTED, 900, {"call": f"{run}.1"}),
            (Kind.CALL_FINISHED, 903, {"call": f"{run}.1", "body": {"text": "", "error": False, "touched": touched}}),
            (Kind.RUN_PAUSED, 903.5, {}),
            (Kind.RUN_RESUMED, 5000, {}),
            (Kind.MODEL_ANSWERED, 5001, {"input_tokens": None, "output_tokens": 1, "cost": None}),
            (Kind.CALL_DECIDED, 5001, {"call": f"{run}.2", "decision": "allow"}),
            (Kind.CALL_STARTED, 5001, {"call": f"{run}.2"}),
            (Kind.CALL_FINISHED, 4990, {"call": f"{run}.2", "body": {"touched": {"files": ["/b"], "lines": 1}}}),
            (Kind.RUN_FINISHED, 4991, {"body": {"text": ""}}),
        ]
    ]


def spent_by_all(window: Window, budget: Budget = ALL, scope: Scope = ANA, day: float = DAY) -> dict[str, Decimal]:
    return others(window, part_of(budget, scope, day), budget.limits, "mine")


def test_the_journal_adds_up_as_the_fold_does(window: Window) -> None:
    events = a_run()
    meter = Meter()
    for item in events:
        meter.add(item)
    window.append(events).result(5)
    assert spent_by_all(window) == meter.spent
    assert meter.spent == {
        "tokens": 16, "money": Decimal("0.000000001"), "seconds": Decimal("2") + 3 + Decimal("0.5") + 1 + 1,
        "calls": 2, "files": 3, "lines": 8,
    }  # fmt: skip


def test_money_is_exact_to_the_last_place(window: Window) -> None:
    tenth = [event(Kind.MODEL_ANSWERED, at, cost=Decimal("0.1")) for at in range(3)]
    least = [event(Kind.MODEL_ANSWERED, 9, run="s", cost=Decimal("0.000000001"))]
    window.append([*tenth, *least]).result(5)
    assert spent_by_all(window)["money"] == Decimal("0.300000001")


@pytest.mark.parametrize(
    ("budget", "calls"),
    [
        (Budget("b", ("day",), {"calls": Decimal(9)}), 3),
        (Budget("b", ("user",), {"calls": Decimal(9)}), 3),
        (Budget("b", ("user", "day"), {"calls": Decimal(9)}), 2),
        (Budget("b", ("agent", "day"), {"calls": Decimal(9)}), 2),
        (Budget("b", ("day",), {"calls": Decimal(9)}, agent="analyst", user="ana"), 1),
    ],
)
def test_what_is_of_the_same_part_counts(window: Window, budget: Budget, calls: int) -> None:
    started = [
        event(Kind.CALL_STARTED, -5, "yesterday"),
        event(Kind.CALL_STARTED, 5, "r1"),
        event(Kind.CALL_STARTED, 6, "r2", agent="clerk"),
        event(Kind.CALL_STARTED, 7, "r3", user="bob"),
        event(Kind.CALL_STARTED, 8, "r4", tenant="other"),
        event(Kind.CALL_STARTED, 9, "mine"),
    ]
    window.append(started).result(5)
    assert spent_by_all(window, budget) == {"calls": calls}


def test_a_clock_that_is_set_back_frees_nothing(window: Window) -> None:
    window.append([event(Kind.CALL_STARTED, 5, "r1"), event(Kind.CALL_STARTED, -3600, "r1")]).result(5)
    assert spent_by_all(window)["calls"] == 2


def reserve(run: str, until: int, at: float = 10, budget: Budget = ALL) -> Event:
    key = part_of(budget, ANA, DAY).key
    return event(
        Kind.BUDGET_RESERVED, at, run, body={"key": key, "until": {"calls": in_journal("calls", Decimal(until))}}
    )


CALLS = Budget("b", ("day",), {"calls": Decimal(10)})


def test_a_run_at_work_counts_with_what_it_reserved_until_it_ends(window: Window) -> None:
    window.append([reserve("r", 5, budget=CALLS), event(Kind.CALL_STARTED, 11)]).result(5)
    assert spent_by_all(window, CALLS) == {"calls": 5}
    window.append([event(Kind.RUN_SUSPENDED, 12)]).result(5)  # which is also what is written of a process that died
    assert spent_by_all(window, CALLS) == {"calls": 1}
    window.append([event(Kind.RUN_RESUMED, 13), reserve("r", 3, 14, CALLS)]).result(5)
    assert spent_by_all(window, CALLS) == {"calls": 3}


def test_no_more_is_reserved_than_there_is(window: Window) -> None:
    part = part_of(CALLS, ANA, DAY)
    window.append([reserve("r", 7, budget=CALLS)]).result(5)
    mine = reserve("mine", 3, budget=CALLS)
    with pytest.raises(Conflict):
        window.append(
            [reserve("mine", 4, budget=CALLS)], room(part, dict(CALLS.limits), {"calls": Decimal(4)}, "mine")
        ).result(5)
    window.append([mine], room(part, dict(CALLS.limits), {"calls": Decimal(3)}, "mine")).result(5)
    assert others(window, part, ["calls"], "third") == {"calls": 10}


OF_A_RUN = Budget("b", ("run",), {"calls": Decimal(10)})


def test_a_run_and_all_below_it_count_together_and_nobody_else(window: Window) -> None:
    begun = [
        event(Kind.RUN_STARTED, 1, "elsewhere"),
        event(Kind.CALL_STARTED, 1, "elsewhere"),
        event(Kind.RUN_STARTED, 2, "top"),
        event(Kind.CALL_STARTED, 2, "top"),
        event(Kind.RUN_STARTED, 3, "child", parent="top", agent="clerk"),
        event(Kind.CALL_STARTED, 3, "child", parent="top", agent="clerk"),
        event(Kind.RUN_STARTED, 4, "grandchild", parent="child"),
        event(Kind.CALL_STARTED, 4, "grandchild", parent="child"),
        event(Kind.RUN_STARTED, 5, "top's neighbour", parent="elsewhere"),
        event(Kind.CALL_STARTED, 5, "top's neighbour", parent="elsewhere"),
    ]
    window.append(begun).result(5)
    part = part_of(OF_A_RUN, Scope(run="top"), DAY)
    assert others(window, part, ["calls"], "grandchild") == {"calls": 2}
    assert others(window, part, ["calls"], "top") == {"calls": 2}
    assert others(window, part_of(OF_A_RUN, Scope(run="child"), DAY), ["calls"], "child") == {"calls": 1}


def test_what_a_run_above_has_reserved_is_not_for_those_below(window: Window) -> None:
    part = part_of(OF_A_RUN, Scope(run="top"), DAY)
    kept = {"key": part.key, "until": {"calls": in_journal("calls", Decimal(9))}}
    begun = event(Kind.RUN_STARTED, 1, "top"), event(Kind.BUDGET_RESERVED, 1, "top", body=kept)
    child = event(Kind.RUN_STARTED, 2, "child", parent="top")
    window.append([*begun, child]).result(5)
    with pytest.raises(Conflict):
        window.append(
            [event(Kind.CALL_STARTED, 3, "child")], room(part, OF_A_RUN.common, {"calls": Decimal(2)}, "child")
        ).result(5)
    window.append(
        [event(Kind.CALL_STARTED, 3, "child")], room(part, OF_A_RUN.common, {"calls": Decimal(1)}, "child")
    ).result(5)
