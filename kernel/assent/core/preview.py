"""What a call that asks would do, as a value: what was found out before anything ran, and how."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from assent.core.secrets import hide_within

How = Literal["copy", "text", "plan", "tool", "steps", "none"]

_LINES = 30
_LINE = 250  # characters of a sentence
_TEXT = 4000
_TABLES = 6
_ROWS = 8
_COLUMNS = 10
_CELL = 60


@dataclass(frozen=True, slots=True)
class Table:
    """Some rows of what would change; `total` is how many there are. Cells are text, None where there is nothing."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    total: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """`how` it was made: run on a copy, read from the code's text, a database's plan, the tool's own word, the steps of
    an agent's plan, not at all.

    `way` says the same in a sentence, with the reason. `effects` are what would change, a short sentence each, the most
    important first; `gaps` what could not be previewed. `outdated`: it was made for arguments that were edited since.
    """

    how: How
    way: str
    effects: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    text: str = ""
    outdated: bool = False


def to_json(preview: Preview) -> dict[str, Any]:
    """As the journal keeps it: bounded, without known keys, what is empty left out. Done twice it is the same."""
    tables = [_table(table) for table in preview.tables[:_TABLES]]
    lines = {name: [_cut(line) for line in _some(getattr(preview, name))] for name in ("effects", "gaps")}
    value = {
        "how": preview.how,
        "way": _cut(hide_within(preview.way)),
        **lines,
        "tables": tables,
        "text": _cut(hide_within(preview.text), _TEXT),
    }
    return {name: item for name, item in value.items() if item}


def from_json(value: Mapping[str, Any]) -> Preview:
    """The value that `to_json` wrote."""
    tables = [
        Table(item["title"], tuple(item["columns"]), tuple([tuple(row) for row in item["rows"]]), item["total"])
        for item in value.get("tables", ())
    ]
    return Preview(
        value["how"],
        value["way"],
        tuple(value.get("effects", ())),
        tuple(value.get("gaps", ())),
        tuple(tables),
        value.get("text", ""),
    )


def _some(lines: tuple[str, ...]) -> list[str]:
    if len(lines) <= _LINES:
        return list(hide_within(list(lines)))
    return [*hide_within(list(lines[: _LINES - 1])), f"… and {len(lines) - _LINES + 1:,} more"]


def _table(table: Table) -> dict[str, Any]:
    value = hide_within(asdict(table))  # before a cut leaves half a key
    rows = [[None if cell is None else _cut(cell, _CELL) for cell in row[:_COLUMNS]] for row in value["rows"][:_ROWS]]
    columns = [_cut(name, _CELL) for name in value["columns"][:_COLUMNS]]
    return {"title": _cut(value["title"]), "columns": columns, "rows": rows, "total": value["total"]}


def _cut(text: str, most: int = _LINE) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
