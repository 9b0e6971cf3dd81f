"""Finding what is remembered: the best passages by the index, told with what is known of them now."""

from collections.abc import Sequence
from typing import Any

from assent.memory.index import Index
from assent.memory.item import Filter, Hit
from assent.memory.terms import keys
from assent.store.schema import ITEMS, TEXTS

_FOUND = f"""SELECT items.number, id, text, title, kind, collection, source, place, tags, dated, time, agent, "user",
    run FROM (SELECT * FROM {ITEMS} WHERE number IN (SELECT unnest(?)) AND {{where}}) AS items
    JOIN {TEXTS} AS texts ON texts.number = items.number ORDER BY time, source, part"""


def search(index: Index, query: str, wanted: Filter, count: int = 10) -> list[Hit]:
    """The `count` best items for a query, the best first; fewer where there are no more that have a term of it."""
    index.refresh()
    scores = {number: score for score, number in index.best(keys(query), wanted, count)}
    if not scores:
        return []
    where, values = wanted.where()
    rows = index.journal.select(_FOUND.format(where=where), [list(scores), *values])
    hits = [_hit(scores[number], rest) for number, *rest in rows]
    return sorted(hits, key=lambda hit: -hit.score)[:count]


def _hit(score: float, row: Sequence[Any]) -> Hit:
    name, text, title, kind, collection, source, place, tags, dated, time, agent, user, run = row
    return Hit(
        score=score, id=name, text=text, title=title, kind=kind, collection=collection, source=source, place=place,
        tags=tags, dated=dated, time=time, agent=agent, user=user, run=run,
    )  # fmt: skip
