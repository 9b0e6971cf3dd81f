"""Which runs are old enough to be forgotten, and which are not, however old."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assent.core.events import Kind
from assent.core.retention import Retention
from assent.store.chain import Select
from assent.store.schema import IN_LIFECYCLE

_ENDED = frozenset({Kind.RUN_FINISHED, Kind.RUN_CANCELLED, Kind.RUN_FAILED})
_RUNS = f"""
    SELECT run, any_value(agent), any_value(parent), any_value(body ->> '$.fork.run') FILTER (kind = 'run_started'),
        arg_max(kind, seq) FILTER ({IN_LIFECYCLE}), epoch(max(time))
    FROM events WHERE run IS NOT NULL GROUP BY run"""


@dataclass(frozen=True, slots=True)
class _Run:
    run: str
    agent: str | None
    parent: str | None
    origin: str | None  # the run that it was forked from, whose events it shares
    last: str | None  # how it began, went on or ended last
    at: float  # its last event, seconds since the epoch


def forgettable(select: Select, rules: Retention, now: float | None = None) -> frozenset[str]:
    """The runs of a journal whose texts may be forgotten.

    None that has not ended, or whose relatives have not: what belongs to one piece of work is forgotten together. Nor
    one that a fork goes on from that is kept.
    """
    if rules.payloads is None:
        return frozenset()
    before = (time.time() if now is None else now) - rules.payloads
    runs = {row[0]: _Run(*row) for row in select(_RUNS, ())}
    held = {run.run for run in runs.values() if run.last not in _ENDED or run.at > before or _named(run, rules.keep)}
    return frozenset(runs) - _with_relatives(runs, held)


def _named(run: _Run, keep: Iterable[str]) -> bool:
    return any(run.agent == name or run.run.startswith(name) for name in keep)


def _with_relatives(runs: Mapping[str, _Run], held: Iterable[str]) -> frozenset[str]:
    """The runs with all that are tied to them: parents, children, and the runs that forks go on from."""
    tied: dict[str, set[str]] = {}
    for run in runs.values():
        if run.parent:
            tied.setdefault(run.run, set()).add(run.parent)
            tied.setdefault(run.parent, set()).add(run.run)
        if run.origin:
            tied.setdefault(run.run, set()).add(run.origin)
    found: set[str] = set()
    waiting = list(held)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(tied.get(name, ()))
    return frozenset(found)
