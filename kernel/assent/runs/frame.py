"""A DataFrame as an answer: its columns as a type for each row, and rows back as columns of the right dtype."""

import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model

from assent.core.errors import ConfigError
from assent.runs.spelling import is_type, kind_of, spelled

_CATEGORIES = 100  # of a column; more are not told to the model
_SCALAR = str | int | float | bool | None
_DTYPES: Mapping[Any, str] = {
    str: "str", int: "int64", float: "float64", bool: "bool", date: "datetime64[ns]", datetime: "datetime64[ns]",
    timedelta: "timedelta64[ns]",
}  # fmt: skip
_TYPES = ("str", "int", "float", "bool")  # dtypes too, but as Python's types they say that no value is missing
_NULLABLE: Mapping[Any, str] = {int: "Int64", bool: "boolean"}  # the dtypes of those above hold no missing value


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the type of a value as the model writes it, and the pandas dtype that the values get."""

    name: str | int
    kind: Any
    dtype: str

    def to_json(self, names: Mapping[str, Any]) -> list[Any]:
        """The column as plain JSON values."""
        return [self.name, spelled(self.kind, names), self.dtype]


def columns_from_json(value: Iterable[Sequence[Any]], names: Mapping[str, Any]) -> tuple[Column, ...]:
    """The inverse of `Column.to_json`; `NotFound` where a type is not defined."""
    return tuple([Column(name, kind_of(kind, names), dtype) for name, kind, dtype in value])


def columns_of(source: Any, names: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns that a mapping of column to type or dtype asks for, or that a DataFrame has.

    A type means just that, so a value may be missing only if it says so (`float | None`). In a dtype's column a value
    may be missing wherever the dtype can hold that.
    """
    if isinstance(source, Mapping):
        columns = [_column(name, kind, names) for name, kind in source.items()]
    else:
        columns = [_of_series(name, source.iloc[:, place]) for place, name in enumerate(source.columns)]
    if not columns:
        raise ConfigError("A DataFrame without columns holds no answer: name its columns and their types.")
    if odd := [item.name for item in columns if not isinstance(item.name, (str, int))]:
        raise ConfigError(f"The column {odd[0]!r} has no name that JSON can give: use texts or whole numbers.")
    if len({str(item.name) for item in columns}) < len(columns):
        raise ConfigError("Two columns have the same name: rename one of them.")
    return tuple(columns)


def row_type(columns: Iterable[Column]) -> type[BaseModel]:
    """A pydantic model of one row."""
    # By position, the real name as alias: a column may be called schema, copy or _x, a pydantic field may not.
    fields: dict[str, Any] = {
        f"field_{place}": (column.kind, Field(alias=str(column.name))) for place, column in enumerate(columns)
    }
    return create_model("Row", __config__=ConfigDict(extra="forbid"), **fields)


def frame_of(columns: Sequence[Column], rows: Sequence[BaseModel]) -> Any:
    """The DataFrame of the rows; `ValueError` says which column's values its dtype cannot hold."""
    import pandas  # takes 0.3 s to import: not before there is a table

    made = [_series(column, [getattr(row, f"field_{place}") for row in rows]) for place, column in enumerate(columns)]
    frame = pandas.concat(made, axis=1)
    frame.columns = pandas.Index([column.name for column in columns])
    return frame


def _column(name: Any, kind: Any, names: Mapping[str, Any]) -> Column:
    dtype = None if kind in _TYPES else _known_dtype(kind)
    if isinstance(kind, str) and dtype is None:
        kind = kind_of(kind, names)
    if dtype is None and is_type(kind):
        return Column(name, kind, _dtype_of(kind))
    if dtype is None:
        raise ConfigError(f"The column {name!r} has a type that pandas does not know: {kind!r}.")
    return _of_dtype(name, dtype)


def _of_series(name: Any, values: Any) -> Column:
    import pandas

    if values.dtype == object and pandas.api.types.infer_dtype(values, skipna=True) == "string":
        return Column(name, str | None, "object")
    return _of_dtype(name, values.dtype)


def _of_dtype(name: Any, dtype: Any) -> Column:
    ordered = str(dtype) == "category" and dtype.ordered
    return Column(name, _kind_of_dtype(dtype), "ordered category" if ordered else str(dtype))


def _known_dtype(kind: Any) -> Any:
    import pandas

    if (is_type(kind) and getattr(kind, "__module__", "") != "numpy") or (isinstance(kind, str) and len(kind) == 1):
        return None  # pandas takes "b" for int8, where a name is meant
    try:
        return pandas.api.types.pandas_dtype(kind)
    except (TypeError, ValueError):
        return None


def _dtype_of(kind: Any) -> str:
    """The dtype for values of a type; "object" where pandas has none of its own."""
    arguments = get_args(kind)
    missing = NoneType in arguments
    if get_origin(kind) is typing.Literal and all(isinstance(item, str) for item in arguments):
        kind = str
    elif missing and len(arguments) == 2:
        kind = next(item for item in arguments if item is not NoneType)
        return _NULLABLE.get(kind) or _dtype_of(kind)
    return _DTYPES.get(kind, "object") if isinstance(kind, type) else "object"


def _kind_of_dtype(dtype: Any) -> Any:
    import pandas

    if isinstance(dtype, pandas.CategoricalDtype):
        categories = () if dtype.categories is None else tuple(dtype.categories.tolist())
        named = 0 < len(categories) <= _CATEGORIES and all(isinstance(value, str) for value in categories)
        return typing.Literal[categories] | None if named else _SCALAR
    if isinstance(dtype, pandas.StringDtype):
        return str | None
    own = type(dtype).__module__.startswith("pandas")  # whose integers may be missing
    match dtype.kind:
        case "i" | "u":
            return int | None if own else int
        case "b":
            return bool | None if own else bool
        case "f":
            return float | None
        case "M":
            return datetime | None
        case "m":
            return timedelta | None
    return _SCALAR


def _series(column: Column, values: list[Any]) -> Any:
    import pandas

    try:
        if column.dtype.startswith("datetime64"):
            return _times(values, column.dtype)
        if column.dtype.endswith("category"):
            ordered, categories = column.dtype.startswith("ordered"), _categories(column.kind)
            return pandas.Series(values, dtype=pandas.CategoricalDtype(categories, ordered))
        return pandas.Series(values, dtype=column.dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"column {column.name}: {str(error).splitlines()[0]}") from None


def _times(values: list[Any], dtype: str) -> Any:
    """Times of one kind: those with a zone become UTC first, so that a column may mix them with those without."""
    import pandas

    times: Any = pandas.to_datetime(pandas.Series(values, dtype=object), utc=True, format="mixed")
    zone = getattr(pandas.api.types.pandas_dtype(dtype), "tz", None)
    return (times.dt.tz_convert(zone) if zone else times.dt.tz_localize(None)).astype(dtype)


def _categories(kind: Any) -> list[str] | None:
    literal = next((item for item in (kind, *get_args(kind)) if get_origin(item) is typing.Literal), None)
    return list(get_args(literal)) if literal is not None else None
