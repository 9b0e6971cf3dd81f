"""Rows as an HTML table and as aligned plain text."""

import html
import re
from collections.abc import Sequence
from typing import Any
from unicodedata import combining, east_asian_width

from assent_widgets.escape import clean, plural
from assent_widgets.style import MUTED, SMALL

ROWS = 15
COLUMNS = 30
_CELL_HTML = 200
_NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?")
_CELL_TEXT = 40
_TABLE = "border-collapse:collapse;margin:4px 0;font-size:90%"
_TH = "padding:3px 10px;text-align:{align};white-space:nowrap;border-bottom:1px solid rgba(127, 127, 127, 0.5)"
_TD = "padding:3px 10px;text-align:{align};vertical-align:top;border-bottom:1px solid rgba(127, 127, 127, 0.2)"

Row = Sequence[Any]


def table_html(columns: Sequence[str], rows: Sequence[Row], total: int | None = None, limit: int = ROWS) -> str:
    """The first `limit` rows, numbers to the right; `total` counts rows that are not in `rows` too."""
    shown, right = rows[:limit], _numeric(columns, rows[:limit])
    head = "".join([_cell_html("th", _TH, name, right[i]) for i, name in enumerate(columns[:COLUMNS])])
    body = "".join(
        [
            f"<tr>{''.join([_cell_html('td', _TD, cell, right[i]) for i, cell in enumerate(row[:COLUMNS])])}</tr>"
            for row in shown
        ]
    )
    table = f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    more = _more(columns, rows, total, limit)
    return f'<div style="overflow-x:auto">{table}</div>' + (
        f'<div style="{SMALL}">{html.escape(more)}</div>' if more else ""
    )


def table_text(columns: Sequence[str], rows: Sequence[Row], total: int | None = None, limit: int = ROWS) -> str:
    """The same for a terminal: columns padded to one width, a line under the names."""
    right = _numeric(columns, rows[:limit])
    names = [_cell_text(name) for name in columns[:COLUMNS]]
    lines = [[_cell_text(cell) for cell in row[:COLUMNS]] for row in rows[:limit]]
    widths = [
        max([_width(name), *[_width(line[i]) for line in lines if i < len(line)]]) for i, name in enumerate(names)
    ]
    out = [_line(names, widths, right), "  ".join(["-" * width for width in widths])]
    out += [_line(line, widths, right) for line in lines]
    more = _more(columns, rows, total, limit)
    return "\n".join(out + ([more] if more else []))


def _more(columns: Sequence[str], rows: Sequence[Row], total: int | None, limit: int) -> str:
    hidden = max(total or 0, len(rows)) - min(len(rows), limit)
    notes = [f"… {hidden:,} more {'row' if hidden == 1 else 'rows'}"] if hidden else []
    if not rows and not hidden:
        notes.append("no rows")
    if len(columns) > COLUMNS:
        notes.append(f"… {plural(len(columns) - COLUMNS, 'more column')}")
    return ", ".join(notes)


def _numeric(columns: Sequence[str], rows: Sequence[Row]) -> list[bool]:
    """Which columns hold numbers only."""
    found = []
    for i in range(len(columns)):
        cells = [row[i] for row in rows if i < len(row) and row[i] not in (None, "")]
        found.append(bool(cells) and all(_is_number(cell) for cell in cells))
    return found


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return _NUMBER.fullmatch(cell) is not None
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _words(cell: Any) -> str:
    if cell is None:
        return "NULL"
    if isinstance(cell, float) and len(repr(cell)) > 12:
        return f"{cell:.10g}"
    return str(cell)


def _cell_html(tag: str, style: str, cell: Any, right: bool) -> str:
    words = _shorten(_words(cell), _CELL_HTML)
    inner = html.escape(clean(words))
    if cell is None:
        inner = f'<span style="{MUTED}">{inner}</span>'
    return f'<{tag} style="{style.format(align="right" if right else "left")}">{inner}</{tag}>'


def _cell_text(cell: Any) -> str:
    return _shorten(clean(_shorten(_words(cell), _CELL_HTML)).replace("\n", "⏎").replace("\t", " "), _CELL_TEXT)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _width(text: str) -> int:
    """Terminal columns that `text` takes: wide East Asian signs take two, combining marks none."""
    return sum([0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text])


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, to_right in zip(cells, widths, right, strict=False):
        gap = " " * (width - _width(cell))
        padded.append(gap + cell if to_right else cell + gap)
    return "  ".join(padded).rstrip()
