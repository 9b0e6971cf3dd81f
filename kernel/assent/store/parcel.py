"""What is handed to the writer of a workspace: events that are written together, and the condition that they may be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from assent.core.errors import Conflict
from assent.core.events import Event, Kind
from assent.store.tally import Room

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition of an append: a query whose first value must be true, and room that there must be.

    The writer asks it after all that was written before, so that to look and to append is one act.
    """

    query: str = ""
    parameters: tuple[Any, ...] = ()
    rooms: tuple[Room, ...] = ()

    def along(self, other: "Guard | None") -> "Guard":
        """Both conditions as one."""
        if other is None:
            return self
        queries = [f"({query})" for query in (self.query, other.query) if query]
        query = f"SELECT {' AND '.join(queries)}" if queries else ""
        return Guard(query, (*self.parameters, *other.parameters), (*self.rooms, *other.rooms))


def unchanged(run: str, seq: int) -> Guard:
    """Nothing has been written of a run since the event `seq`."""
    return Guard("SELECT count(*) = 0 FROM events WHERE run = ? AND seq > ?", (run, seq))


def none_since(kind: Kind, seq: int) -> Guard:
    """Nothing of that kind has been written since the event `seq`."""
    return Guard("SELECT count(*) = 0 FROM events WHERE kind = ? AND seq > ?", (kind.value, seq))


def as_one_act(act: Callable[[], T]) -> T:
    """Do what looks and then appends under a guard, again and again until nothing has come between."""
    while True:
        try:
            return act()
        except Conflict:
            continue


@dataclass(frozen=True, slots=True)
class Beside:
    """What is written to other tables than the journal's in the commit of some events.

    First the statements, each with its parameters, then whole rows, by table.
    """

    statements: Sequence[tuple[str, Sequence[Any]]] = ()
    rows: Mapping[str, Sequence[tuple[Any, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class Parcel:
    """Events that are written together or not at all, with their bodies as JSON text, and what is written beside them.

    `name` is theirs for ever ("writer.number"): a parcel that comes `again`, because nobody knows whether it arrived,
    is not written twice.
    """

    name: str
    events: Sequence[Event]
    bodies: Sequence[str]
    guard: Guard | None = None
    beside: Beside | None = None
    again: bool = False


# What became of a parcel: for each event its number, the hash before and its own; None where the guard said no.
Written = list[tuple[int, str, str]] | None
