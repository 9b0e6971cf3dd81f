"""Sums of what is reserved: kept while it is appended, they are what the journal says, whatever was written."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.workspaces import prepare

from assent.core.events import Event, Kind
from assent.core.ids import new_id
from assent.store.ledger import Ledger
from assent.store.parcel import Parcel
from assent.store.rows import encoded
from assent.store.tally import COUNTED, Room, Series, Tally

NOW = 1_800_000_000_000_000  # microseconds since the epoch
TOOLS = ("swap", "swap_fast")
USERS = ("ana", "ben")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = Ledger(prepare(tmp_path_factory.mktemp("tally")))
    yield opened
    opened.close()


def written(ledger: Ledger, *events: Event) -> list[tuple[Event, str]]:
    """They are in the journal now; each with its body."""
    bodies = [encoded(event.body) for event in events]
    ledger.append([Parcel(new_id(), events, bodies)])
    return list(zip(events, bodies, strict=True))


def reserved(tenant: str, amount: Any = "1", *, ago: int = 0, given_back: bool = False, **columns: Any) -> Event:
    """An event of a moment `ago` microseconds before `NOW`; the rollback of one, if it is given back."""
    kind = Kind.RISK_ROLLED_BACK if given_back else Kind.RISK_RESERVED
    body = {"amounts": {"amount": amount}, **({"at": NOW - ago} if given_back else {})}
    at = (NOW if given_back else NOW - ago) / 1e6
    return Event(kind=kind, tenant=tenant, at=at, body=body, **{"tool": "swap", "user": "ana", **columns})


ODD = ("1e3", "much", "", "-1", None, 5, True, [1])
AMOUNTS = st.integers(0, 20).flatmap(
    lambda pick: st.sampled_from(ODD) if pick == 0 else st.decimals(0, 10**15, places=12).map(str)
)
EVENTS = st.builds(
    reserved,
    st.just(""),
    AMOUNTS,
    ago=st.integers(-2, 2),
    given_back=st.booleans(),
    tool=st.sampled_from(TOOLS),
    user=st.sampled_from(USERS),
    agent=st.sampled_from([None, "scout"]),
)
SERIES = st.builds(
    lambda tools, by, argument: Series("", tools, by[0], by[1], argument, "w"),
    st.sampled_from(["swap", "swap*"]),
    st.sampled_from([("", None), ("user", "ana"), ("agent", None)]),
    st.sampled_from(["", "amount"]),
)
ASKED = st.lists(st.tuples(SERIES, st.integers(-2, 2)), min_size=1, max_size=4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(EVENTS, ASKED), min_size=3, max_size=8), st.sampled_from([0, 2, 1_000]))
def test_a_sum_that_is_kept_is_the_one_that_is_read(
    ledger: Ledger, steps: list[tuple[Event, list[tuple[Series, int]]]], entries: int
) -> None:
    tenant, kept = new_id(), Tally(ledger.select, entries)
    for event, asked in steps:
        event.tenant = tenant
        for item in written(ledger, event):
            kept.note(*item)
        for series, ago in asked:
            mine = Series(tenant, series.tools, series.by, series.whose, series.argument, series.window)
            assert kept.total(mine, NOW - ago) == Tally(ledger.select).total(mine, NOW - ago)


def test_each_event_is_in_the_windows_and_series_that_it_is_in_for_sql(ledger: Ledger) -> None:
    tenant, kept = new_id(), Tally(ledger.select)
    whose = (("", None), ("user", "ana"), ("agent", None))
    series = [
        (Series(tenant, tools, *by, argument, str(ago)), NOW - ago)
        for tools, by, argument, ago in itertools.product(("swap", "swap*"), whose, ("", "amount"), (-1, 0, 1))
    ]
    assert {kept.total(item, since) for item, since in series} == {0}
    kinds = itertools.product((-1, 0, 1), (False, True), TOOLS, (None, "scout"), USERS)
    for number, (ago, back, tool, agent, user) in enumerate(kinds):
        event = reserved(tenant, str(2**number), ago=ago, given_back=back, tool=tool, agent=agent, user=user)
        for item in written(ledger, event):
            kept.note(*item)
    fresh = Tally(ledger.select)
    assert [kept.total(*item) for item in series] == [fresh.total(*item) for item in series]


def test_a_sum_is_read_once_and_moves_with_its_window(ledger: Ledger) -> None:
    tenant, asked = new_id(), list[str]()

    def select(query: str, values: Any) -> list[tuple[Any, ...]]:
        asked.append(query)
        return ledger.select(query, values)

    tally = Tally(select)
    series = Series(tenant, "swap", argument="amount")
    totals = []
    for number in range(1, 5):
        for item in written(ledger, reserved(tenant, str(number), ago=-number)):
            tally.note(*item)
        totals.append(tally.total(series, NOW + number - 2))
    assert totals == [1, 3, 5, 7]  # never more than two of them are within the window
    assert len(asked) == 1
    assert tally.total(series, NOW) == 10  # earlier than where it begins
    assert len(asked) == 2


def test_more_series_than_are_kept_are_read_anew(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assent.store.tally.SERIES", 2)
    tenant, tally = new_id(), Tally(ledger.select)
    users = itertools.cycle(["ana", "ben", "cleo"])
    for turn in range(9):
        user = next(users)
        for item in written(ledger, reserved(tenant, user=user)):
            tally.note(*item)
        assert tally.total(Series(tenant, "swap", "user", user), NOW - 1) == turn // 3 + 1


def test_room_is_up_to_the_bound_and_not_beyond(ledger: Ledger) -> None:
    tenant, tally = new_id(), Tally(ledger.select)
    written(ledger, reserved(tenant, "0.1"), reserved(tenant, "0.2"))
    series = Series(tenant, "swap", argument="amount")
    assert tally.has(Room(series, NOW - 1, Decimal("0.7"), Decimal(1)))
    assert not tally.has(Room(series, NOW - 1, Decimal("0.700000000001"), Decimal(1)))


def test_what_could_not_be_written_takes_no_room(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = new_id()
    room = Room(Series(tenant, "swap"), NOW - 1, Decimal(1), Decimal(1))
    appender = ledger._appender

    class Full:
        def append_rows(self, rows: Any) -> None:
            raise OSError("no space")

        def clear(self) -> None:
            appender.clear()

    assert ledger._tally.has(room)
    monkeypatch.setattr(ledger, "_appender", Full())
    with pytest.raises(OSError, match="no space"):
        written(ledger, reserved(tenant))
    monkeypatch.undo()
    written(ledger, Event(kind=Kind.CELL_RAN, tenant=tenant))
    assert ledger._tally.has(room)
    written(ledger, reserved(tenant))
    assert not ledger._tally.has(room)


def test_only_what_counts_is_noted() -> None:
    assert {kind for kind in Kind if kind.startswith("risk_")} - COUNTED == {Kind.RISK_COMMITTED}
