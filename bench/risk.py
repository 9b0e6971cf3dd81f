"""What limits over time cost a call: its intent with a reservation beside its intent alone; both wait for a commit.

The journal holds a day of reservations already, of this tool and of others.
"""

import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import median

from assent.core.events import Event, Kind, Scope
from assent.core.ids import new_id
from assent.risk import Act, cool_down, daily_volume, max_amount, rate
from assent.risk.check import Check, examine
from assent.risk.reserve import check_and_reserve, commit, reservation, settled
from assent.store.access import EVERYONE
from assent.store.journal import Journal
from assent.store.window import Window
from bench.report import Figure
from bench.sizes import Sizes

BEFORE = 1_000  # reservations of today
VOLUME: tuple[Check, ...] = (max_amount("amount", 100), daily_volume("amount", 10**9, by="user"))
EVERY: tuple[Check, ...] = (*VOLUME, rate(10**6, 3600), cool_down(Decimal("0.000001")))


def measure(sizes: Sizes) -> list[Figure]:
    """Milliseconds until it may act, and for reserve and commit of one's own code; µs of CPU for the checks alone."""
    with tempfile.TemporaryDirectory() as folder:
        house = Journal(Path(folder))
        try:
            return _measured(Window(house, EVERYONE, "default", "ana"), sizes)
        finally:
            house.close()


def _measured(journal: Window, sizes: Sizes) -> list[Figure]:
    _fill(journal)
    works: dict[str, Callable[[], float]] = {
        "none": lambda: _called(journal, ()), "volume": lambda: _called(journal, VOLUME),
        "every": lambda: _called(journal, EVERY), "two": lambda: _called(journal, (), 2), "own": lambda: _own(journal),
    }  # fmt: skip
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(sizes.rounds * 5):
        for name, work in works.items():  # in turns, so that all have the same machine
            found[name] += [work() for _ in range(4)]
    middle = {name: median(values) * 1000 for name, values in found.items()}
    judged = min(_judged(sizes.turns) for _ in range(sizes.rounds))
    return [
        Figure("the commit before an effect, without limits", middle["none"], "ms"),
        Figure("with a daily volume reserved in it", middle["volume"], "ms", middle["none"], aim_ratio=2),
        Figure("with a volume, a rate and a cool-down", middle["every"], "ms", middle["none"]),
        Figure("reserve, then commit, of one's own code", middle["own"], "ms", middle["two"], aim_ratio=2),
        Figure("four checks on one call", judged, "µs", aim=20),
    ]


def _fill(journal: Window) -> None:
    body = {"reservation": "", "amounts": {"amount": "1.25"}}
    tools = ("swap", "other", "third")
    kind = Kind.RISK_RESERVED
    scope = journal.scope()
    journal.append([scope.event(kind, tool=tools[number % 3], body=body) for number in range(3 * BEFORE)]).result()


def _called(journal: Window, checks: tuple[Check, ...], times: int = 1) -> float:
    """As `runs.step` writes a call: seconds until the intent is on disk; the result is waited for by nobody."""
    spent = 0.0
    for _ in range(times):
        scope = Scope(run=new_id(), user="ana")
        name = f"{scope.run}.1"
        intent = scope.event(Kind.CALL_STARTED, tool="swap", call=name, body={"arguments": {"amount": "1"}})
        finished = scope.event(Kind.CALL_FINISHED, tool="swap", call=name, body={"text": "done", "error": False})
        began = time.perf_counter()
        held: list[Event] = []
        guard = None
        if checks:
            event, guard = reservation(checks, Act("swap", {"amount": "1"}), name, scope, asked=False)
            held = [event]
        journal.append([intent, *held], guard).result()
        spent += time.perf_counter() - began
        journal.append([finished, *[settled(event, happened=True) for event in held]]).result()
    return spent


def _own(journal: Window) -> float:
    began = time.perf_counter()
    commit(journal, check_and_reserve(journal, "swap", VOLUME, {"amount": "1"}, {}))
    return time.perf_counter() - began


def _judged(turns: int) -> float:
    facts = {check.quota.fact: "5" for check in EVERY if check.quota} | {"now": "2000000000000000"}
    act = Act("swap", {"amount": "1"}, facts)
    began = time.thread_time()
    for _ in range(turns):
        examine(EVERY, act)
    return (time.thread_time() - began) / turns * 1e6
