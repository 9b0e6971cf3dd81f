"""What a call would do, as the card shows it, as text and as static HTML. Its words may be the agent's."""

from typing import Any

from assent.core.preview import Preview, Table
from assent_widgets.escape import escape, plural, reveal
from assent_widgets.style import MUTED, OUTPUT, SMALL, pre
from assent_widgets.tables import table_html, table_text

_HEADS = {
    "copy": "If it runs (tried on a copy)",
    "text": "If it runs (read from its text)",
    "plan": "If it runs (by the plan)",
    "tool": "If it runs (as the tool says)",
    "steps": "What it intends to do",
    "none": "If it runs",
}
_OUTDATED = "This was found out before the arguments were edited; it may be otherwise now."
_SILENT = "nothing could be found out"
_MOST = 3  # effects in a line


def preview_view(preview: Preview) -> dict[str, Any]:
    """What the card shows of it, as plain JSON values; its words are text, not HTML."""
    return {
        "head": _HEADS[preview.how],
        "effects": [reveal(line) for line in _effects(preview)],
        "gaps": [reveal(line) for line in _gaps(preview)],
        "way": reveal(_way(preview)),
        "tables": [_table_view(table) for table in preview.tables],
        "text": reveal(_text(preview)),
        "label": _label(preview),
        "summary": _summary(preview),
        "outdated": preview.outdated,
    }


def preview_lines(preview: Preview) -> list[str]:
    """The same for a terminal: sentences, then the tables."""
    lines = [f"{_HEADS[preview.how]}:", *[f"  • {line}" for line in _effects(preview)]]
    lines += [f"  ? {line}" for line in _gaps(preview)]
    for table in preview.tables:
        lines += [f"  {_title(table)}", *_indented(table_text(table.columns, table.rows))]
    if preview.text.strip():
        lines += [f"  {_label(preview)}:", *_indented(_text(preview))]
    return [reveal(line) for line in [*lines, *([f"  {_way(preview)}"] if _way(preview) else [])]]


def preview_html(preview: Preview) -> str:
    """The same as static HTML: sentences open, tables to be opened."""
    items = "".join([f"<li>{_emphasised(line)}</li>" for line in _effects(preview)])
    gaps = "".join([f'<li style="{MUTED}">? {escape(line)}</li>' for line in _gaps(preview)])
    tables = "".join(
        [f"<div>{escape(_title(table))}</div>{table_html(table.columns, table.rows)}" for table in preview.tables]
    )
    if preview.text.strip():
        tables += f"<div>{escape(_label(preview))}</div>{pre(escape(_text(preview)), OUTPUT)}"
    more = f"<details><summary>{escape(_summary(preview))}</summary>{tables}</details>" if tables else ""
    return (
        f'<div style="margin:6px 0"><strong>{escape(_HEADS[preview.how])}</strong>'
        f'<ul style="margin:2px 0 4px 0;padding-left:20px">{items}{gaps}</ul>{more}'
        f'<div style="{SMALL}">{escape(_way(preview))}</div></div>'
    )


def preview_line(preview: Preview) -> str:
    """The most important of it, in a line."""
    effects = _effects(preview)
    more = f"; and {len(effects) - _MOST} more" if len(effects) > _MOST else ""
    return reveal("; ".join(effects[:_MOST]) + more).rstrip(".")


def _effects(preview: Preview) -> tuple[str, ...]:
    """One line each, whatever is in them: none may pass for another line of the card."""
    found = tuple([" ".join(line.split()) for line in preview.effects])
    return found or (() if preview.gaps or preview.tables or preview.text else (_SILENT,))


def _gaps(preview: Preview) -> list[str]:
    return [*([_OUTDATED] if preview.outdated else []), *[" ".join(line.split()) for line in preview.gaps]]


def _table_view(table: Table) -> dict[str, Any]:
    rows = [[None if cell is None else reveal(cell) for cell in row] for row in table.rows]
    columns = [reveal(name) for name in table.columns]
    return {"title": reveal(_title(table)), "columns": columns, "rows": rows}


def _way(preview: Preview) -> str:
    """Nothing where the gaps say it already."""
    return "" if preview.how == "none" and preview.gaps else preview.way


def _text(preview: Preview) -> str:
    return preview.text.strip("\n").rstrip()


def _title(table: Table) -> str:
    shown = len({tuple(row[1:2]) for row in table.rows}) if _is_paired(table) else len(table.rows)
    return table.title if table.total <= shown else f"{table.title} ({shown} of {table.total:,})"


def _is_paired(table: Table) -> bool:
    """Whether each row stands in it twice, before and after."""
    return bool(table.rows) and {row[0] for row in table.rows} == {"before", "after"}


def _summary(preview: Preview) -> str:
    parts = [plural(len(preview.tables), "table")] if preview.tables else []
    parts += [_label(preview)] if preview.text.strip() else []
    return f"Look closer: {' and '.join(parts)}"


def _label(preview: Preview) -> str:
    return {"copy": "what it prints", "plan": "the plan"}.get(preview.how, "more")


def _emphasised(line: str) -> str:
    """A sentence whose beginning up to a colon names what it is about."""
    name, colon, rest = line.partition(": ")
    return f"<strong>{escape(name)}</strong>: {escape(rest)}" if colon else escape(line)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.split("\n")]
