"""How a variable is told to a model: a DataFrame by its schema and a few rows, anything else by a short repr."""

from typing import Any

from assent.core.cut import fore
from assent.core.secrets import hide
from assent.tools.uncut import uncut

_REPR = 500
CELL = 40
COLUMNS = 60
ROWS = 3
_SCANNED = 10_000  # rows looked at for a column's values
_VALUES = 8  # a text column with more than these is no list of categories


def preview(value: Any, rows: int = ROWS) -> str:
    """A few lines that say what `value` is, without dumping it."""
    try:
        if is_frame(value):
            return _frame(value, rows)
        with uncut():
            text = hide(repr(value))  # before a cut leaves half a key
    except (Exception, SystemExit) as error:  # a repr that raises must not cost the user the cell
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    if len(text) <= _REPR:
        return text
    return f"{text[: fore(text, _REPR, value)]}… ({type(value).__name__}, {len(text):,} characters)"


def is_frame(value: Any) -> bool:
    """Whether `value` is a pandas DataFrame, told without importing pandas."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def has_labels(frame: Any) -> bool:
    """Whether a frame's row labels say more than the number of the row, as after `groupby`."""
    index = frame.index
    return index.nlevels > 1 or index.name is not None or index.dtype.kind not in "iu"


def _frame(frame: Any, rows: int) -> str:
    labels = has_labels(frame)
    columns = [_column(frame, place) for place in range(min(len(frame.columns), COLUMNS))]
    more = f", … {len(frame.columns) - COLUMNS} more" if len(frame.columns) > COLUMNS else ""
    by = f"labelled by {_labels(frame)}, " if labels else ""
    lines = [f"DataFrame, {len(frame):,} rows, {by}columns: {', '.join(columns)}{more}"]
    for label, row in frame.iloc[:, :COLUMNS].head(rows).iterrows():
        lines.append((f"{_cell(label)}: " if labels else "") + " | ".join([_cell(value) for value in row]))
    return "\n".join(lines)


def _labels(frame: Any) -> str:
    return ", ".join(["index" if name is None else str(name) for name in frame.index.names])


def _column(frame: Any, place: int) -> str:
    """`name type`, and a category's values: a model that has to guess how they are spelt gets no rows."""
    column = frame.iloc[:_SCANNED, place]
    told = f"{frame.columns[place]} {column.dtype}"
    if str(column.dtype) not in ("object", "str", "string", "category"):
        return told
    values = list(dict.fromkeys(value for value in column if isinstance(value, str)))
    if not 0 < len(values) <= _VALUES or len(values) == len(column) or max(map(len, values)) > CELL:
        return told
    return f"{told} ({' | '.join([_cell(value) for value in values])}{' | …' if len(frame) > _SCANNED else ''})"


def _cell(value: Any) -> str:
    text = hide(str(value)).replace("\n", " ")
    return text if len(text) <= CELL else text[: fore(text, CELL - 1, cells=False)] + "…"
