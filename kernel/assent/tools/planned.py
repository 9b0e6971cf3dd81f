"""A database's plan of a query as what a person reads: which tables it reads, and about how many rows it gives."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assent.core.preview import Preview

PLANNED = "By the database's plan; the query was not run."
_DEEPEST = 30


def planned(plan: str, tables: Mapping[str, int]) -> Preview:
    """The preview that DuckDB's plan in JSON makes; `tables` are those that the query names, with their rows."""
    reads = [f"reads {name} ({rows:,} rows)" for name, rows in tables.items()]
    try:
        nodes = json.loads(plan)
        gives = next((rows for node in nodes for rows in _estimates(node)), None)
        text = "\n".join([line for node in nodes for line in _lines(node, 0)])
    except (ValueError, TypeError, AttributeError):
        return Preview("plan", PLANNED, tuple(reads), ("The plan could not be read.",))
    about = [f"gives about {gives:,} rows"] if gives is not None else []
    changes = ["changes nothing: it is read-only"]
    return Preview("plan", PLANNED, (*reads, *about, *changes), text=text)


def _estimates(node: Mapping[str, Any]) -> Iterator[int]:
    """Row counts from the top of the plan down."""
    said = str((node.get("extra_info") or {}).get("Estimated Cardinality", ""))
    if said.isdigit():
        yield int(said)
    for child in node.get("children", ()):
        yield from _estimates(child)


def _lines(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    info = node.get("extra_info") or {}
    rows = f"  ~{info['Estimated Cardinality']} rows" if info.get("Estimated Cardinality") else ""
    yield f"{'  ' * depth}{str(node.get('name', '')).strip()}{rows}"
    for child in node.get("children", ()) if depth < _DEEPEST else ():
        yield from _lines(child, depth + 1)
