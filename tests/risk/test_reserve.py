"""What counts over time, in a real journal: exact whatever comes in between, and never less because of the clock."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.workspaces import prepare

from assent.core.errors import AssentError, ConfigError, GateError, NotFound
from assent.core.events import Event, Kind
from assent.core.ids import new_id
from assent.risk import cool_down, daily_volume, max_amount, rate
from assent.risk.check import Check
from assent.risk.quota import Quota
from assent.risk.reserve import Reservation, check_and_reserve, commit, rollback, used
from assent.store.access import Access
from assent.store.journal import Journal
from assent.store.window import Window

DAY = 86_400


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    opened = Journal(prepare(tmp_path_factory.mktemp("risk")))
    yield opened
    opened.close()


def window(journal: Journal, user: str = "ana") -> Window:
    return Window(journal, Access("default", user), "default", user)


@pytest.fixture
def ana(journal: Journal) -> Window:
    return window(journal)


@pytest.fixture
def tool() -> str:
    """A name of its own for each test: they share the journal."""
    return f"swap_{new_id()}"


def reserve(where: Window, tool: str, *checks: Check, **arguments: Any) -> Reservation:
    return check_and_reserve(where, tool, checks, arguments, {})


def refused(where: Window, tool: str, *checks: Check, **arguments: Any) -> str:
    with pytest.raises(GateError) as error:
        reserve(where, tool, *checks, **arguments)
    return str(error.value)


def was(where: Window, tool: str, at: float, amount: str = "1", **columns: Any) -> Event:
    """Something was reserved at another time."""
    body = {"reservation": new_id(), "amounts": {"amount": amount}}
    event = where.scope().event(Kind.RISK_RESERVED, tool=tool, at=at, body=body, **columns)
    where.append([event]).result()
    return event


def test_what_is_reserved_counts_until_it_is_rolled_back(ana: Window, tool: str) -> None:
    limit = daily_volume("amount", 1000)
    first = reserve(ana, tool, limit, amount=600)
    said = refused(ana, tool, limit, amount="400.000000000001")
    assert said.endswith("daily volume: 600 of 1,000 used today, this adds 400.000000000001.")
    commit(ana, first)
    second = reserve(ana, tool, limit, amount=400)
    refused(ana, tool, limit, amount="0.000000000001")
    rollback(ana, second)
    reserve(ana, tool, limit, amount=400)
    rows = ana.select("SELECT status, amounts ->> 'amount' FROM risk WHERE tool = ? ORDER BY reserved", [tool])
    assert rows == [("committed", "600"), ("rolled back", "400"), ("reserved", "400")]


def test_a_reservation_is_settled_once(ana: Window, tool: str) -> None:
    held = reserve(ana, tool, daily_volume("amount", 10), amount=10)
    rollback(ana, held)
    for settle in (commit, rollback):
        for name in (held, held.id):
            with pytest.raises(ConfigError, match="is settled already"):
                settle(ana, name)
    assert (
        used(ana, [daily_volume("amount", 10)], tool, ana.scope())[Quota(Decimal(10), "amount").fact]
        == "0.000000000000"
    )


def test_what_a_crash_has_left_is_settled_by_its_id(ana: Window, tool: str) -> None:
    held = reserve(ana, tool, rate(1, 60))
    rollback(ana, held.id)
    reserve(ana, tool, rate(1, 60))
    with pytest.raises(NotFound, match="There is no reservation 'nothing'"):
        commit(ana, "nothing")


def test_a_call_of_a_run_that_has_not_ended_is_not_settled_by_hand(ana: Window, tool: str) -> None:
    run = ana.run()
    body = {"reservation": f"{run.run}.1", "amounts": {}}
    ana.append([run.event(Kind.RISK_RESERVED, tool=tool, body=body)]).result()
    with pytest.raises(ConfigError, match="is of a call that has not ended"):
        rollback(ana, f"{run.run}.1")
    finished = run.event(Kind.CALL_FINISHED, tool=tool, call=f"{run.run}.1", body={"text": "", "error": True})
    ana.append([finished]).result()
    rollback(ana, f"{run.run}.1")


def test_counts_are_kept_apart_by_whom_they_are_for(journal: Journal, ana: Window, tool: str) -> None:
    ben = window(journal, "ben")
    own, all_ = rate(1, 60, by="user"), rate(3, 60)
    for who in (ana, ben):
        reserve(who, tool, own, all_)
        assert "1 of 1 calls used within 60 s by this user" in refused(who, tool, own, all_)
    reserve(ana, tool, all_)
    assert "3 of 3 calls" in refused(ben, tool, all_)
    reserve(ben, f"{tool}_other", all_)


def test_a_glob_counts_its_tools_together(ana: Window, tool: str) -> None:
    limit = daily_volume("amount", 10, tools=f"{tool}_*")
    reserve(ana, f"{tool}_buy", limit, amount=6)
    assert "6 of 10" in refused(ana, f"{tool}_sell", limit, amount=5)
    reserve(ana, f"{tool}_sell", limit, amount=4)


def test_other_tenants_count_for_themselves(journal: Journal, ana: Window, tool: str) -> None:
    other = Window(journal, Access("elsewhere", "ana"), "elsewhere", "ana")
    reserve(other, tool, rate(1, 60))
    reserve(ana, tool, rate(1, 60))


def test_nobody_in_particular_counts_together_too(ana: Window, tool: str) -> None:
    for by in ("agent", "notebook", "run"):
        reserve(ana, f"{tool}_{by}", rate(1, 60, by=by))
        refused(ana, f"{tool}_{by}", rate(1, 60, by=by))


def test_the_largest_amounts_and_any_name_of_an_argument_are_summed(ana: Window, tool: str) -> None:
    limit, most = daily_volume("größe", "999999999999999999.999999999999"), "499999999999999999.999999999999"
    for _ in range(2):
        reserve(ana, tool, limit, größe=most)
    reserve(ana, tool, limit, größe="0.000000000001")
    refused(ana, tool, limit, größe="1")


def test_rows_that_make_no_sense_count_on_the_strict_side_and_stop_nobody(ana: Window, tool: str) -> None:
    held = was(ana, tool, time.time(), "6")
    for body in ({"reservation": held.body["reservation"], "amounts": {"amount": "6"}, "at": "yesterday"}, {}):
        ana.append([ana.scope().event(Kind.RISK_ROLLED_BACK, tool=tool, body=body)]).result()
    was(ana, tool, time.time(), "much")
    assert "6 of 10" in refused(ana, tool, daily_volume("amount", 10), amount=5)
    reserve(ana, tool, daily_volume("amount", 10), amount=4)


def test_a_soft_limit_is_a_limit_where_nobody_can_be_asked(ana: Window, tool: str) -> None:
    limit = daily_volume("amount", 100, ask_over=50)
    reserve(ana, tool, limit, amount=50)
    assert refused(ana, tool, limit, amount=1).endswith("50 of 100 used today, this adds 1, over 50.")


def test_a_cool_down_tells_how_long_ago_the_last_was(ana: Window, tool: str) -> None:
    was(ana, tool, time.time() - 20)
    assert "the last call was 20 s ago; 60 s must pass" in refused(ana, tool, cool_down(60))
    reserve(ana, tool, cool_down(5))


def test_a_window_moves_on(ana: Window, tool: str) -> None:
    now = time.time()
    was(ana, tool, now - 61)
    was(ana, tool, now - 59)
    reserve(ana, tool, rate(2, 60))
    refused(ana, tool, rate(2, 60))


def test_a_rollback_gives_back_nothing_of_a_later_window(ana: Window, tool: str) -> None:
    """What was reserved yesterday and is rolled back today was not counted today."""
    old = was(ana, tool, time.time() - 2 * DAY, "70")
    reserve(ana, tool, daily_volume("amount", 100), amount=50)
    rollback(ana, old.body["reservation"])
    assert "50 of 100" in refused(ana, tool, daily_volume("amount", 100), amount=51)


@pytest.mark.parametrize("ahead", [60, DAY, 40 * DAY])
def test_a_clock_that_is_set_back_frees_nothing(ana: Window, tool: str, ahead: float) -> None:
    """What counts was written under a clock that was ahead; the present one is the one that was set back."""
    was(ana, tool, time.time() + ahead, "80")
    assert "80 of 100" in refused(ana, tool, daily_volume("amount", 100), amount=21)
    assert "1 of 1 calls" in refused(ana, tool, rate(1, 1))
    assert "ahead of this machine's clock" in refused(ana, tool, cool_down(1))


@pytest.mark.parametrize(
    ("zone", "now", "begin"),
    [
        ("UTC", "2026-11-21T00:00:00+00:00", "2026-11-21T00:00:00+00:00"),
        ("UTC", "2026-11-21T23:59:59+00:00", "2026-11-21T00:00:00+00:00"),
        ("America/New_York", "2026-11-21T03:00:00+00:00", "2026-11-20T05:00:00+00:00"),
        ("Europe/Lisbon", "2026-10-25T12:00:00+00:00", "2026-10-24T23:00:00+00:00"),  # summer time ends on that day
    ],
)
def test_a_day_begins_at_midnight_of_its_zone(zone: str, now: str, begin: str) -> None:
    quota = Quota(Decimal(1), zone=zone)
    since = quota.since(datetime.fromisoformat(now).timestamp()) + 1  # the very moment belongs to the day
    assert datetime.fromtimestamp(since / 1e6, UTC) == datetime.fromisoformat(begin)


def test_midnight_itself_is_of_the_new_day(ana: Window, tool: str) -> None:
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    was(ana, tool, begin, "30")
    was(ana, tool, begin - 1, "40")
    assert "30 of 100" in refused(ana, tool, daily_volume("amount", 100), amount=71)


def test_a_hundred_callers_get_exactly_what_there_is(ana: Window, tool: str) -> None:
    checks = (max_amount("amount", 50), daily_volume("amount", "123.45"), rate(1000, 60))
    done: list[Reservation] = []
    begin = threading.Barrier(100)

    def call() -> None:
        begin.wait()
        try:
            done.append(reserve(ana, tool, *checks, amount="2.5"))
        except GateError:
            return

    threads = [threading.Thread(target=call) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 49  # 49 times 2.5 = 122.5, and one more would be 125
    assert ana.select(
        "SELECT count(*), sum(CAST(amounts ->> 'amount' AS DECIMAL(9,2))) FROM risk WHERE tool = ?", [tool]
    ) == [(49, Decimal("122.50"))]


CENTS = st.integers(1, 4000).map(lambda cents: Decimal(cents) / 100)
STEPS = st.lists(
    st.tuples(st.sampled_from(["reserve", "commit", "rollback", "by id"]), CENTS, st.integers(0, 9)), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_order_of_acts_counts_as_sums_on_paper(ana: Window, steps: list[tuple[str, Decimal, int]]) -> None:
    tool, limit = f"swap_{new_id()}", daily_volume("amount", 60)
    paper, open_ones = Decimal(0), list[Reservation]()
    for what, amount, number in steps:
        if what == "reserve":
            held = _tried(lambda amount=amount: reserve(ana, tool, limit, amount=amount))  # type: ignore[misc]
            assert (held is not None) is (paper + amount <= 60)
            if held is not None:
                paper += amount
                open_ones.append(held)
        elif open_ones:
            held = open_ones.pop(number % len(open_ones))
            if what == "commit":
                commit(ana, held)
            else:
                rollback(ana, held if what == "rollback" else held.id)
                paper -= held.amounts["amount"]
    assert Decimal(used(ana, [limit], tool, ana.scope())[limit.quota.fact if limit.quota else ""]) == paper


def _tried(act: Callable[[], Reservation]) -> Reservation | None:
    try:
        return act()
    except AssentError:
        return None


def test_a_pattern_that_the_journal_would_read_otherwise_is_refused() -> None:
    with pytest.raises(ConfigError, match="has a backslash"):
        rate(1, 60, tools="s\\wap*")
