"""Finding what is remembered: the best passages by the index, told with what is known of them now."""

import json
from collections.abc import Sequence
from typing import Any

from assent.core.errors import NotFound
from assent.core.taint import from_json
from assent.memory.index import Index
from assent.memory.item import Filter, Hit
from assent.memory.terms import query
from assent.store.journal import Journal
from assent.store.schema import ITEMS, TEXTS

_TOLD = """SELECT items.number, id, text, title, kind, collection, source, place, tags, dated, time, agent, "user", run,
    taint"""
_FOUND = f"""{_TOLD} FROM (SELECT * FROM {ITEMS} WHERE number IN (SELECT unnest(?)) AND {{where}}) AS items
    JOIN {TEXTS} AS texts ON texts.number = items.number ORDER BY time, source, part"""
_NAMED = f"""{_TOLD} FROM (SELECT * FROM {ITEMS} WHERE starts_with(id, ?) AND {{where}}) AS items
    JOIN {TEXTS} AS texts ON texts.number = items.number LIMIT 2"""


def search(index: Index, text: str, wanted: Filter, count: int = 10) -> list[Hit]:
    """The `count` best items for what is asked, the best first; fewer where no more have a term of it."""
    index.refresh()
    scores = {number: score for score, number in index.best(query(text), wanted, count)}
    if not scores:
        return []
    where, values = wanted.where()
    rows = index.journal.select(_FOUND.format(where=where), [list(scores), *values])
    hits = [_hit(scores[number], rest) for number, *rest in rows]
    return sorted(hits, key=lambda hit: -hit.score)[:count]


def named(journal: Journal, beginning: str, wanted: Filter) -> Hit:
    """The item whose id begins so, without a score; `NotFound` where there is none or more than one."""
    where, values = wanted.where()
    rows = journal.select(_NAMED.format(where=where), [beginning, *values]) if beginning else []
    if not rows:
        raise NotFound(f"Nothing is remembered under {beginning!r}. %agent memory search lists ids.")
    if len(rows) > 1:
        raise NotFound(f"More than one id begins with {beginning!r}. Give more of it.")
    return _hit(0.0, rows[0][1:])


def _hit(score: float, row: Sequence[Any]) -> Hit:
    name, text, title, kind, collection, source, place, tags, dated, time, agent, user, run, taint = row
    return Hit(
        score=score, id=name, text=text, title=title, kind=kind, collection=collection, source=source, place=place,
        tags=tags, dated=dated, time=time, agent=agent, user=user, run=run,
        taint=from_json(json.loads(taint or "null")),
    )  # fmt: skip
