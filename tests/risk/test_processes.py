"""Limits over time across processes: exact among several writers, and after one that was killed in between."""

from pathlib import Path

import pytest
from tests.risk.mortal import BEGIN
from tests.support.peer import Peer
from tests.support.waiting import eventually

from assent.core.errors import GateError
from assent.risk import daily_volume
from assent.risk.reserve import check_and_reserve, rollback
from assent.store.access import EVERYONE
from assent.store.journal import Journal
from assent.store.window import Window

_BEGIN = """
import threading
from pathlib import Path
from assent.core.errors import GateError
from assent.risk import cool_down, daily_volume, rate
from assent.risk.reserve import check_and_reserve, commit, rollback
from assent.store.access import EVERYONE
from assent.store.journal import Journal
from assent.store.window import Window
window = Window(Journal(Path(folder)), EVERYONE, "default", "ana")
limit = daily_volume("amount", 1000)
def one(amount="7"):
    try:
        return check_and_reserve(window, "swap", (limit,), {"amount": amount}, {})
    except GateError:
        return None
def crowd(number):
    got = []
    threads = [threading.Thread(target=lambda: got.append(one())) for _ in range(number)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    held = [item for item in got if item]
    for item in held[::5]: commit(window, item)
    return len(held)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_crowd_of_callers_in_three_processes_get_exactly_what_there_is(folder: Path) -> None:
    with Peer(folder, _BEGIN) as one, Peer(folder, _BEGIN) as two, Peer(folder, _BEGIN) as three:
        peers = (one, two, three)
        for peer in peers:
            peer.begin("crowd(50)")
        assert sum(peer.end() for peer in peers) == 142  # 142 times 7 is 994
        assert one.do("str(window.select(\"SELECT count(*), sum(CAST(amounts ->> 'amount' AS INT)) FROM risk\"))") == (
            "[(142, 994)]"
        )


@pytest.mark.timeout(60)
def test_what_a_killed_process_had_reserved_stays_counted_until_somebody_settles_it(folder: Path) -> None:
    with Peer(folder, _BEGIN) as peer:
        held = peer.do("one('900').id")
        peer.kill()
    journal = Journal(folder)
    try:
        window = Window(journal, EVERYONE, "default", "ana")
        limit = daily_volume("amount", 1000)
        with pytest.raises(GateError, match="900 of 1,000 used today"):
            check_and_reserve(window, "swap", (limit,), {"amount": 101}, {})
        rollback(window, held)
        check_and_reserve(window, "swap", (limit,), {"amount": 1000}, {})
    finally:
        journal.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_killed_again_and_again_no_effect_is_without_its_reservation_and_none_is_over_the_limit(tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    for kills in range(1, 4):
        with Peer(tmp_path, BEGIN) as peer:
            eventually(lambda enough=60 * kills: effects.exists() and len(lines(effects)) >= enough)  # type: ignore[misc]
            peer.kill()
    with Peer(tmp_path, BEGIN) as peer:
        peer.do("[thread.join() for thread in threads] and None")
        rows = dict(peer.do("window.select('SELECT reservation, status FROM risk')"))
    done = lines(effects)
    assert len(set(done)) == len(done) <= 300
    assert set(done) <= set(rows)
    assert len(rows) == 300
    assert {status for name, status in rows.items() if name not in done} <= {"reserved"}


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()
