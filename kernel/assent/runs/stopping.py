"""Stopping runs: what is asked for, which runs it reaches, and how they end. `runs.live` does it to those at work."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from assent.core.errors import ConfigError
from assent.core.events import Event, Kind, Scope
from assent.store.parcel import Guard, as_one_act
from assent.store.schema import IN_LIFECYCLE
from assent.store.window import Window

ANSWERS_WITHIN = 2.0  # seconds that another kernel has to stop a run at once
_LOOK = 0.05  # seconds between two looks at the journal meanwhile
_OPEN = {"pause": ("running", "suspended"), "cancel": ("running", "suspended", "paused", "failed")}
_FAMILY = """
    WITH RECURSIVE family(run) AS (
        SELECT CAST(? AS VARCHAR)
        UNION SELECT child.run FROM events AS child JOIN family ON child.parent = family.run
        WHERE child.kind = 'run_started'
    ) SELECT run FROM family"""
_CALM = (
    _FAMILY.replace(
        "SELECT run FROM family", "SELECT count(*) = 0 FROM events JOIN family USING (run) WHERE seq > ? AND "
    )
    + IN_LIFECYCLE
)
_STAND = """
    SELECT run, parent, agent, "user", notebook, cell, tenant, status, model FROM runs WHERE run IN ({})
    ORDER BY started DESC"""


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody's wish that a run ends, for now ("pause") or for good ("cancel").

    `seconds` is how long what is under way (the model's answer, the calls that have begun) may take: 0 cuts it off at
    once, None lets it end.
    """

    then: Literal["pause", "cancel"]
    reason: str
    by: str = ""
    seconds: float | None = 0

    @property
    def kind(self) -> Kind:
        """The ending that comes of it."""
        return Kind.RUN_PAUSED if self.then == "pause" else Kind.RUN_CANCELLED

    def to_json(self) -> dict[str, Any]:
        """The body of the event that asks for it."""
        return {"then": self.then, "seconds": self.seconds, **self.why()}

    def why(self) -> dict[str, Any]:
        """What the ending says of it."""
        return {"reason": self.reason, **({"by": self.by} if self.by else {})}


def requested(event: Event) -> Stop:
    """What a STOP_REQUESTED asks for."""
    body = event.body
    return Stop(body["then"], body.get("reason", ""), body.get("by", ""), body.get("seconds"))


class AtWork(Protocol):
    """What is known of the runs of this process: whether one is at work, and whether its event loop was closed."""

    def at_work(self, run: str) -> bool: ...
    def abandoned(self, run: str) -> bool: ...


def ask(journal: Window, here: AtWork, run: str, stop: Stop) -> list[str]:
    """Stop a run and all that it has started, wherever they are; the ids of those that were at work.

    Those have to end by themselves. The others, which nobody works on, have their ending when this returns.
    `ConfigError` where there is nothing to stop.
    """
    return as_one_act(lambda: _ask(journal, here, run, stop))


def _ask(journal: Window, here: AtWork, run: str, stop: Stop) -> list[str]:
    [(last,)] = journal.select("SELECT max(seq) FROM events")
    family = _family(journal, run)
    events, at_work = [], []
    for scope, status, model in family:
        name = scope.run or ""
        if here.at_work(name) or (status == "running" and not here.abandoned(name)):
            at_work.append(name)
            events.append(scope.event(Kind.STOP_REQUESTED, body=stop.to_json()))
        elif status in _OPEN[stop.then]:
            events.append(scope.event(stop.kind, model=model, body=stop.why()))
    if not events:
        status = next((status for scope, status, _ in family if scope.run == run), "unknown")
        verb = "pause" if stop.then == "pause" else "stop"
        raise ConfigError(f"The run {run} is {status}; there is nothing to {verb}.")
    journal.append(events, Guard(_CALM, (run, last))).result()
    return at_work


def await_ends(journal: Window, runs: Iterable[str]) -> list[str]:
    """Wait until no run of these is at work any more; the ids of those that still are in the end."""
    until, left = time.monotonic() + ANSWERS_WITHIN, list(runs)
    while left := [scope.run or "" for scope, status, _ in _stand(journal, left) if status == "running"]:
        if time.monotonic() > until:
            break
        time.sleep(_LOOK)
    return left


def _family(journal: Window, run: str) -> list[tuple[Scope, str, str | None]]:
    return _stand(journal, [name for (name,) in journal.select(_FAMILY, [run])])


def _stand(journal: Window, runs: Sequence[str]) -> list[tuple[Scope, str, str | None]]:
    """Who each of the runs is, its status and its model; the latest first, so that a child is before its parent."""
    if not runs:
        return []
    rows = journal.select(_STAND.format(", ".join("?" * len(runs))), list(runs))
    return [(Scope(*row[:7]), row[7], row[8]) for row in rows]
