"""Which notebook this is: an id that stays with the file when it is moved, renamed or copied elsewhere and back.

The id travels in the file itself, in the metadata of our outputs, and of the notebook where `assent run --output` wrote
it. The journal says at which path each id was last. Where the file holds no id (its outputs were cleared, or not saved
yet), it is taken for the notebook that was there before if one of that one's cells is still in it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assent.core.events import Event, Kind
from assent.core.ids import new_id

if TYPE_CHECKING:
    from assent.store.window import Window  # duckdb takes 0.1 s to import: not before there is a journal

KEY = "assent"  # in the metadata of a notebook or an output: {"notebook": id, …}
_LONGEST = 40  # signs of an id: what a file says is not to be trusted
_PLACES = """SELECT body ->> 'id', arg_max(notebook, seq) FROM events WHERE kind = 'notebook_placed'
    GROUP BY ALL ORDER BY max(seq) DESC"""
_CELLS = """SELECT DISTINCT cell FROM events WHERE kind = 'run_started' AND cell IS NOT NULL
    AND run IN (SELECT unnest(runs) FROM notebooks WHERE id = ?)"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a notebook's file holds: the ids in its metadata, and the ids of its cells."""

    ids: frozenset[str]
    cells: frozenset[str]


def identify(journal: "Window", path: str) -> str:
    """The id of the notebook at `path`: its own if it was moved there, a new one if it is new or a copy.

    Where that is news, it is recorded.
    """
    places: dict[str, str] = dict(journal.select(_PLACES))
    name = _recognised(journal, places, path)
    if (was := places.get(name)) != path:
        body = {"id": name, "was": was}
        journal.append([Event(kind=Kind.NOTEBOOK_PLACED, notebook=path, body=body)]).result()
    return name


def read(path: str) -> Found | None:
    """What the file holds; None where there is none, or none that is a notebook."""
    try:
        with open(path, encoding="utf-8") as file:
            notebook = json.load(file)
        cells = [cell for cell in notebook.get("cells", ()) if isinstance(cell, dict)]
        return Found(frozenset(_ids(notebook, cells)), frozenset([str(cell["id"]) for cell in cells if "id" in cell]))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return None


def id_of(notebook: Mapping[str, Any]) -> str:
    """The id in the metadata of a notebook's outputs, the last one first; "" where there is none."""
    return next(iter(reversed([*_ids({}, notebook.get("cells", ()))])), "")


def _recognised(journal: "Window", places: Mapping[str, str], path: str) -> str:
    """`places` tells the path of each known id, the one that was placed last first."""
    here = read(path)
    known = next((name for name, place in places.items() if place == path), "")
    if known and (here is None or _holds(journal, known, here)):
        return known
    ages = {name: age for age, name in enumerate(places)}
    for name in sorted(here.ids if here else (), key=lambda item: (ages.get(item, len(ages)), item)):
        home = places.get(name, path)
        if home == path or _same(home, path) or not _holds(journal, name, read(home)):
            return name
    return known if known and here and _fits(journal, known, here) else new_id()


def _holds(journal: "Window", name: str, found: Found | None) -> bool:
    """Whether a file is the notebook of this id."""
    return found is not None and (name in found.ids or (not found.ids and _fits(journal, name, found)))


def _fits(journal: "Window", name: str, found: Found) -> bool:
    """Whether a cell from which this notebook's runs were started is in the file, as far as the journal knows them."""
    cells = {cell for (cell,) in journal.select(_CELLS, [name])}
    return not cells or not cells.isdisjoint(found.cells)


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _ids(notebook: Mapping[str, Any], cells: Any) -> Iterator[str]:
    for holder in (notebook, *[output for cell in cells for output in cell.get("outputs") or ()]):
        ours = (holder.get("metadata") or {}).get(KEY)
        name = ours.get("notebook") if isinstance(ours, dict) else None
        if isinstance(name, str) and name.isalnum() and len(name) <= _LONGEST:
            yield name
