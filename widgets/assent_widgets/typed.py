"""An answer of a type, which comes as JSON, as something to read: rows as a table, a value as itself."""

import json
from typing import Any

from assent_widgets.escape import clean, clip, escape, reveal
from assent_widgets.style import pre
from assent_widgets.tables import table_html, table_text

_WORDS = 12_000
_LINE = 100


def typed_html(text: str) -> str:
    """A typed answer as static HTML."""
    value = _value(text)
    return table_html(*_table(value)) if _is_rows(value) else pre(escape(reveal(_plain(value))))


def typed_text(text: str) -> str:
    """A typed answer as plain text."""
    value = _value(text)
    return table_text(*_table(value)) if _is_rows(value) else clean(_plain(value))


def _value(text: str) -> Any:
    """What stands in the JSON, without the object that it is wrapped in where the type itself is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict) and set(value) in ({"rows"}, {"value"}):
        return next(iter(value.values()))
    return value


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(rows: list[dict[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    columns = list(dict.fromkeys([name for row in rows for name in row]))
    return columns, [[row.get(name) for name in columns] for row in rows]


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return clip(value, _WORDS)
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= _LINE else clip(json.dumps(value, ensure_ascii=False, indent=2), _WORDS)
