"""Runs that read "running" although the process that was at work on them is gone."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from assent.core.events import Event, Kind
from assent.store.parcel import Parcel
from assent.store.rows import encoded
from assent.store.schema import IN_LIFECYCLE

REASON = "the kernel that ran it stopped"
_RUNNING = f"""
    SELECT run, any_value(parent), any_value(tenant), any_value("user"), any_value(agent), any_value(notebook),
        any_value(cell), split_part(coalesce(arg_max(batch, seq), ''), '.', 1)
    FROM events WHERE {IN_LIFECYCLE} GROUP BY run
    HAVING arg_max(kind, seq) IN ('{Kind.RUN_STARTED}', '{Kind.RUN_RESUMED}')"""
_NAMES = ("run", "parent", "tenant", "user", "agent", "notebook", "cell")


class Selects(Protocol):
    """Whatever answers a query of our own."""

    def select(self, query: str, parameters: Sequence[Any] = (), /) -> list[tuple[Any, ...]]: ...


def suspensions(journal: Selects, gone: Callable[[str], bool]) -> Sequence[Event]:
    """The events that mark the runs of writers that are `gone` as suspended.

    From the columns, not from a fold: a run that cannot be read must not keep the workspace shut.
    """
    return [
        Event(kind=Kind.RUN_SUSPENDED, body={"reason": REASON}, **dict(zip(_NAMES, columns, strict=True)))
        for *columns, writer in journal.select(_RUNNING)
        if gone(writer)
    ]


def parcel(events: Sequence[Event], writer: str) -> Parcel:
    """Such events, ready to be written."""
    return Parcel(f"{writer}.1", events, [encoded(event.body) for event in events])
