"""The `sql` tool: read the analyst's DataFrames with DuckDB, and nothing else."""

import asyncio
import functools
import re
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from assent.core.errors import QueryError
from assent.core.preview import Preview
from assent.core.secrets import hide
from assent.store import database, reader
from assent.tools.execute import in_thread
from assent.tools.planned import PLANNED, planned
from assent.tools.preview import has_labels, is_frame
from assent.tools.tool import Output, Tool, tool
from assent.tools.variables import tables_read

MODEL_ROWS = 50
DISPLAY_ROWS = 20


def frames_in(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The DataFrames that have a name one can write in SQL."""
    return {name: value for name, value in list(namespace.items()) if is_frame(value) and not name.startswith("_")}


def sql_tool(namespace: Callable[[], MutableMapping[str, Any]]) -> Tool[Any, Any]:
    """The tool over a namespace that is looked up anew at each call."""
    connect = functools.cache(database.memory)  # a database costs more than all the rest of a session's start

    async def selected(query: str, frames: Mapping[str, Any]) -> Any:
        cursor, ended = connect().cursor(), threading.Event()
        try:
            return await in_thread(functools.partial(reader.select, cursor, query, frames, ended))
        except asyncio.CancelledError:
            # Or the query that nobody waits for would keep the processors busy, and the interpreter from ending.
            threading.Thread(target=reader.interrupt, args=(cursor, ended), name="assent-stop", daemon=True).start()
            raise

    async def plan(query: str) -> Preview:
        frames = frames_in(namespace())
        try:
            plan = await selected(f"EXPLAIN (FORMAT JSON) {query}", frames)
        except QueryError as error:
            return Preview("plan", PLANNED, (f"fails: {str(error).splitlines()[0]}",))
        return planned(str(plan.iloc[0, 1]), {name: len(frames[name]) for name in reader.named(query, frames)})

    @tool(name="sql", privilege="read_only", source="none", preview=plan)
    async def sql(query: str) -> Output:
        """Run one read-only SQL query (DuckDB dialect) over the notebook's DataFrames; their names are the tables."""
        frames = frames_in(namespace())
        try:
            frame = await selected(query, frames)
        except QueryError as error:
            tables = ", ".join(sorted(frames)) or "none: no DataFrame has been made yet"
            return Output(f"{error}\nTables here: {tables}", error=True, sources=tables_read(query, frames))
        return Output(table_text(frame), table_display(frame), frame, sources=tables_read(query, frames))

    return sql


def table_text(frame: Any, rows: int = MODEL_ROWS) -> str:
    """A result as a model reads it: CSV, cut after `rows`."""
    text: str = frame.head(rows).to_csv(index=False, float_format=number).rstrip("\n")
    if frame.empty:
        return f"{text}\n(no rows)"  # a header alone is read as a result by small models
    return text if len(frame) <= rows else f"{text}\n… {len(frame) - rows:,} more of {len(frame):,} rows"


def table_display(frame: Any, rows: int = DISPLAY_ROWS) -> dict[str, Any]:
    """A result as a transcript shows it: columns, the first rows as text, how many there are."""
    first = frame.head(rows).reset_index(allow_duplicates=True) if has_labels(frame) else frame.head(rows)
    shown = [[cell_text(value) for value in row] for row in first.itertuples(index=False, name=None)]
    return {
        "type": "table",
        "columns": [str(name) for name in first.columns],
        "rows": shown,
        "total": len(frame),
    }


def cell_text(value: Any) -> str | None:
    """A cell as people read it, without known keys; None for what counts as nothing."""
    if isinstance(value, float):
        return None if value != value else number(value)
    text = hide(str(value))
    return None if text in ("None", "<NA>", "NaT") else re.sub(r"\s+", " ", text)[:200]


def number(value: float) -> str:
    """Six digits, but all that stand before the point and two behind it: a total is read to its last cent."""
    if 1e4 <= abs(value) < 1e15:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.6g}"
