"""What was done to a journal whose chain does not fit: each event that was changed, removed, moved or put in."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from assent.core.events import Kind
from assent.core.privilege import LEVELS
from assent.store.chain import GENESIS, LINKED, PORTION, Select, linked, recomputed
from assent.store.rows import covered
from assent.store.schema import NAMES

What = Literal[
    "changed", "removed", "moved", "inserted", "rewritten", "unsigned", "forgotten", "payload", "memory", "unreadable"
]  # fmt: skip
MOST = 100  # findings that are told
_FAR = 5_000  # places that a moved event is looked for in, either way
_ROWS = f"SELECT {LINKED} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq, hash"
_SEQ, _KIND, _PREV, _HASH = (NAMES.index(name) for name in ("seq", "kind", "prev", "hash"))
# What a column may have held before somebody changed it, besides what its neighbours hold.
_USUAL: dict[str, Sequence[Any]] = {
    "kind": tuple(str(kind) for kind in Kind),
    "privilege": LEVELS,
    "decision": ("allow", "ask", "deny", "approve", "reject"),
    "tenant": ("default",),
}

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was done to a journal: to which events (`seq` to `until`), to which column if that shows."""

    what: What
    seq: int
    text: str
    column: str = ""
    until: int = 0

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class _Before:
    """The event before, as far as it can be believed; no `hash` where nothing is known of what came before."""

    seq: int = 0
    hash: str | None = GENESIS
    rows: tuple[Row, ...] = ()


def tampered(select: Select) -> Iterator[Finding]:
    """Every place where the chain does not fit, in the order of the journal, and what was done there.

    An event whose hash does not fit what it says was changed; which column, and what it held, is told where a value
    from beside it makes the hash fit, which proves it. A whole tail that was written anew with hashes that fit shows
    in signed heads only (`store.audit`).
    """
    [(nowhere,)] = select("SELECT count(*) FROM events WHERE seq IS NULL", ())
    if nowhere:
        yield Finding("inserted", 0, f"Events without a number are there: {nowhere}. Each was changed, or inserted.")
    before = _Before()
    for rows, following in _pairs(select):
        yield from _told(before, rows, following)


def _pairs(select: Select) -> Iterator[tuple[list[Row], list[Row]]]:
    """The rows of each number, and those of the number after it."""
    rows: list[Row] = []
    for _, found in groupby(_rows(select), lambda row: row[_SEQ]):
        following = list(found)
        if rows:
            yield rows, following
        rows = following
    if rows:
        yield rows, []


def _rows(select: Select) -> Iterator[Row]:
    [(first, last)] = select("SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM events", ())
    while first <= last:
        yield from select(_ROWS, (first - 1, first + PORTION - 1))
        first += PORTION
        [(first,)] = select("SELECT coalesce(min(seq), ?) FROM events WHERE seq >= ?", (last + 1, first))


def _told(before: _Before, rows: list[Row], following: list[Row]) -> Iterator[Finding]:
    seq = rows[0][_SEQ]
    row, others = _own(before, rows, following)
    if seq != before.seq + 1 and (seq < 1 or _place(row, before.seq) is not None):
        yield from [_stray(item, before.seq) for item in rows]
        return
    if seq > before.seq + 1:
        yield _removed(before.seq + 1, seq - 1)
        before.hash = None
    for other in others:
        yield _besides(row, other)
    yield from _fits(before, row, following)


def _stray(row: Row, last: int) -> Finding:
    """An event with a number that cannot be its own."""
    if (place := _place(row, last)) is not None:
        return Finding("moved", place, f"Event {place} stands at {row[_SEQ]}: its number was changed.", "seq")
    return Finding("inserted", row[_SEQ], f"An event ({row[_KIND]!r}) with the number {row[_SEQ]} was inserted.")


def _own(before: _Before, rows: list[Row], following: list[Row]) -> tuple[Row, list[Row]]:
    """Of several events of one number the one that the chain goes through, and the others."""
    wanted = {item[_PREV] for item in following}

    def rank(row: Row) -> tuple[bool, bool, bool]:
        return row[_HASH] in wanted, recomputed(row) == row[_HASH], row[_PREV] == before.hash

    first = max(rows, key=rank)
    return first, [row for row in rows if row is not first]


def _besides(row: Row, other: Row) -> Finding:
    seq = row[_SEQ]
    if list(other) == list(row):
        return Finding("inserted", seq, f"Event {seq} is there twice: a copy of it was inserted.")
    if (place := _place(other, seq)) is not None:
        return Finding("moved", place, f"Event {place} stands at {seq}, where another one is: it was moved.", "seq")
    forged = ", with a hash of its own that fits," if recomputed(other) == other[_HASH] else ""
    return Finding("inserted", seq, f"At {seq} a second event ({other[_KIND]!r}){forged} was inserted.")


def _fits(before: _Before, row: Row, following: list[Row]) -> Iterator[Finding]:
    """Whether an event fits what it says itself and the one before; what the next one has to fit."""
    seq, own = row[_SEQ], row[_HASH]
    if (computed := recomputed(row)) != own:
        finding, own = _changed(before, row, computed, following)
        yield finding
    elif before.hash not in (None, row[_PREV]):
        text = (
            f"Event {seq} does not follow event {seq - 1}, though both fit themselves: event {seq - 1} was changed "
            f"and given a new hash, or all from event {seq} on are of another journal."
        )
        yield Finding("rewritten", seq - 1, text, until=seq)
    before.seq, before.hash, before.rows = seq, own, (*before.rows[-3:], row)


def _changed(before: _Before, row: Row, computed: str, following: list[Row]) -> tuple[Finding, str | None]:
    """What was changed of an event whose hash does not fit; and its hash, where that is known."""
    seq, digest = row[_SEQ], row[_HASH]
    if any(item[_PREV] == computed for item in following):
        return Finding("changed", seq, f"Event {seq} was changed: its column hash.", "hash"), computed
    if (place := _place(row, seq)) is not None:
        return Finding("moved", place, f"Event {place} stands at {seq}: it was moved.", "seq"), None
    for column, value in _candidates(before, row, following):
        place = NAMES.index(column)
        if recomputed([*row[:place], value, *row[place + 1 :]]) == digest:
            text = f"Event {seq} was changed: its column {column} is {row[place]!r}, and was {value!r}."
            return Finding("changed", seq, text, column), digest
    text = (
        f"Event {seq} was changed: what it says does not fit its hash. Which column does not show; it is body, or "
        "another one whose former value stands nowhere beside it."
    )
    return Finding("changed", seq, text), digest


def _candidates(before: _Before, row: Row, following: list[Row]) -> Iterator[tuple[str, Any]]:
    """Values that columns may have had: the one that the chain asks for, none, the usual ones, those of neighbours."""
    if before.hash is not None:
        yield "prev", before.hash
    beside = [*before.rows, *following]
    for place, column in enumerate(NAMES):
        if column in ("seq", "hash"):
            continue
        values = [None, *_USUAL.get(column, ()), *[item[place] for item in beside]]
        yield from [(column, value) for value in dict.fromkeys(values) if value != row[place]]
    if row[NAMES.index("batch")] is not None:
        writer, _, number = str(row[NAMES.index("batch")]).rpartition(".")
        if number.isdigit():
            yield from [("batch", f"{writer}.{int(number) + step}") for step in (-1, 1)]


def _place(row: Row, near: int) -> int | None:
    """Where an event belongs that fits its hash with another number; None if with none near by."""
    try:
        rest = covered(linked(row)).partition(",")[2]
    except ValueError:
        return None
    for place in range(max(1, near - _FAR), near + _FAR):
        if place != row[_SEQ] and hashlib.sha256(f"[{place},{rest}".encode()).hexdigest() == row[_HASH]:
            return place
    return None


def _removed(first: int, last: int) -> Finding:
    which = f"Event {first} was" if first == last else f"Events {first} to {last} were"
    return Finding("removed", first, f"{which} removed.", until=last)
