"""Remembering and forgetting: texts, their places in the index and the event, in one commit."""

import hashlib
import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from assent.core.errors import Conflict
from assent.core.events import Kind, Scope
from assent.core.ids import new_id
from assent.core.taint import to_json
from assent.memory.index import Index
from assent.memory.item import TURN, Filter, Item
from assent.memory.purge import gone
from assent.memory.segment import MOST, Passage, Segment, build, merged
from assent.memory.stored import rows as stored
from assent.memory.terms import terms
from assent.store.parcel import Beside, Guard, as_one_act
from assent.store.schema import ITEMS, SEGMENTS, TEXTS
from assent.store.window import Window

FAN = 8  # segments of about one size become one
_FEW = 20  # ids that an event names
_KNOWN = f"SELECT digest, number FROM {TEXTS} WHERE tenant = ? AND digest IN (SELECT unnest(?))"
# Nobody has added one of the texts or taken a number meanwhile, forgotten a text, or merged a segment.
_FREE = f"""SELECT NOT EXISTS (
        FROM {TEXTS} WHERE tenant = ? AND (digest IN (SELECT unnest(?)) OR number BETWEEN ? AND ?))
    AND (SELECT count(*) FROM {TEXTS} WHERE number IN (SELECT unnest(?))) = ?
    AND (SELECT count(*) FROM {SEGMENTS} WHERE tenant = ? AND part = 0 AND name IN (SELECT unnest(?))) = ?"""
_DROP = f"DELETE FROM {SEGMENTS} WHERE tenant = ? AND name IN (SELECT unnest(?))"


def add(window: Window, index: Index, items: Sequence[Item], scope: Scope) -> list[str]:
    """Remember items as of `scope` from now on; their ids, in their order. A text that is there is not kept twice."""

    def act() -> list[str]:
        try:
            return _added(window, index, items, scope)
        except Conflict:  # what another process wrote may not have been heard of yet
            index.doubt()
            raise

    return as_one_act(act)


def forget(window: Window, wanted: Filter, ids: Sequence[str], by: str) -> int:
    """Forget items by their ids, as far as they are wanted; how many that were. No search finds them any more."""
    where, values = wanted.where()
    rows = window.house.select(
        f"SELECT id, number FROM {ITEMS} WHERE {where} AND id IN (SELECT unnest(?))", [*values, list(ids)]
    )
    if not rows:
        return 0
    found, numbers = [name for name, _ in rows], sorted({number for _, number in rows})
    body = {"items": len(found), "ids": found[:_FEW], "by": by}
    orphans = f"DELETE FROM {TEXTS} WHERE number IN (SELECT unnest(?)) AND number NOT IN (SELECT number FROM {ITEMS})"
    statements = [(f"DELETE FROM {ITEMS} WHERE id IN (SELECT unnest(?))", [found]), (orphans, [numbers])]
    event = Scope(tenant=wanted.tenant, user=by).event(Kind.MEMORY_FORGOTTEN, body=body)
    window.house.append([event], beside=Beside(statements)).result()
    return len(found)


def _added(window: Window, index: Index, items: Sequence[Item], scope: Scope) -> list[str]:
    index.refresh()
    tenant = scope.tenant
    digests = [_digest(item) for item in items]
    numbers: dict[bytes, int] = dict(window.house.select(_KNOWN, [tenant, list(set(digests))]))
    known = sorted(numbers.values())
    fresh: dict[str, list[tuple[int, Item]]] = {}
    texts = []
    for item, digest in zip(items, digests, strict=True):
        if digest not in numbers:
            numbers[digest] = _number()
            fresh.setdefault(_shape(item), []).append((numbers[digest], item))
            texts.append((numbers[digest], tenant, digest, item.title, item.text))
    written = [part for shape, found in fresh.items() for part in _parts(window, index, shape, found)]
    merged_names = [name for _, _, _, names in written for name in names]
    ids = [new_id() for _ in items]
    at = time.time()
    rows = {
        ITEMS: [
            _row(name, numbers[digest], item, scope, at) for name, digest, item in zip(ids, digests, items, strict=True)
        ],
        TEXTS: texts,
        SEGMENTS: [row for name, shape, part, _ in written for row in stored(name, tenant, shape, part)],
    }
    body = {
        "collection": items[0].collection if items else "", "items": len(items), "texts": len(texts),
        "digest": hashlib.sha256(b"".join(digests)).hexdigest(), "known": len(known),
    }  # fmt: skip
    event = scope.event(Kind.MEMORY_ADDED, at=at, body=body)
    drop = [(_DROP, [tenant, merged_names])] if merged_names else []
    taken = [number for number, *_ in texts] or [0]
    parameters = (
        tenant, [row[2] for row in texts], min(taken), max(taken), known, len(known), tenant, merged_names,
        len(merged_names),
    )  # fmt: skip
    guard = Guard(_FREE, parameters)
    window.append([event], guard, Beside(drop, {name: found for name, found in rows.items() if found})).result()
    for name, shape, part, names in written:
        index.replace(name, shape, part, names)
    return ids


def _parts(
    window: Window, index: Index, shape: str, found: Sequence[tuple[int, Item]]
) -> list[tuple[str, str, Segment, list[str]]]:
    """The segments of new passages, each with its name and the names of those that it takes the place of."""
    parts = []
    for begin in range(0, len(found), MOST):
        portion = [Passage(number, terms(item.title), terms(item.text)) for number, item in found[begin : begin + MOST]]
        segment, names = _joined(window, index.segments(shape), build(portion))
        parts.append((new_id(), shape, segment, names))
    return parts


def _joined(window: Window, there: Sequence[tuple[str, Segment]], segment: Segment) -> tuple[Segment, list[str]]:
    """A segment with those of about its size, once they are enough, and the names of these."""
    names: list[str] = []
    while True:
        level = _level(segment)
        alike = [(name, part) for name, part in there if name not in names and _level(part) <= level]
        total = len(segment) + sum([len(part) for _, part in alike])
        if len(alike) < FAN - 1 or total > MOST:
            return segment, names
        names += [name for name, _ in alike]
        segment = merged([*[part for _, part in alike], segment], gone(window.house, [part for _, part in alike]))


def _level(segment: Segment) -> int:
    return max(len(segment) - 1, 0).bit_length() // 3  # powers of eight


def _shape(item: Item) -> str:
    return "turns" if item.kind == TURN else "files"


def _digest(item: Item) -> bytes:
    return hashlib.sha256("\0".join([_shape(item), item.title, item.text]).encode("utf-8", "replace")).digest()


_last = 0


def _number() -> int:
    """A number for a text that grows with time; whether another process took it too, the guard sees."""
    global _last
    _last = max(_last + 1, (time.time_ns() // 1_000_000 << 20) + random.getrandbits(19))
    return _last


def _row(name: str, number: int, item: Item, scope: Scope, at: float) -> tuple[Any, ...]:
    when = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    return (
        name, number, when, scope.tenant, scope.user, scope.agent, scope.notebook, scope.run, item.kind,
        item.collection, item.source, item.part, item.place, list(item.tags), item.dated,
        json.dumps(to_json(item.taint)) if item.taint else None,
    )  # fmt: skip
