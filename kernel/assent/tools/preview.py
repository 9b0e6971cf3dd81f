"""How a variable is told to a model: a DataFrame by its schema and a few rows, anything else by a short repr."""

from typing import Any

_REPR = 500
_CELL = 40
_COLUMNS = 60


def preview(value: Any, rows: int = 3) -> str:
    """A few lines that say what `value` is, without dumping it."""
    if is_frame(value):
        return _frame(value, rows)
    try:
        text = repr(value)
    except Exception as error:  # a repr that raises must not cost the user the cell
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return text if len(text) <= _REPR else f"{text[:_REPR]}… ({type(value).__name__}, {len(text):,} characters)"


def is_frame(value: Any) -> bool:
    """Whether `value` is a pandas DataFrame, told without importing pandas."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def _frame(frame: Any, rows: int) -> str:
    columns = [f"{name} {kind}" for name, kind in zip(frame.columns, frame.dtypes, strict=True)]
    more = f", … {len(columns) - _COLUMNS} more" if len(columns) > _COLUMNS else ""
    lines = [f"DataFrame, {len(frame):,} rows, columns: {', '.join(columns[:_COLUMNS])}{more}"]
    for _, row in frame.iloc[:, :_COLUMNS].head(rows).iterrows():
        lines.append(" | ".join([_cell(value) for value in row]))
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
