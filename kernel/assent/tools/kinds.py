"""What kind of value a variable holds, as far as it matters to whether a change of one can be seen in another."""

import datetime
import decimal
import enum
import fractions
import pathlib
import re
import sys
import uuid
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

_PLAIN: tuple[type, ...] = (
    int, float, complex, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range, slice, type, ModuleType,
    FunctionType, BuiltinFunctionType, decimal.Decimal, fractions.Fraction, datetime.date, datetime.time,
    datetime.timedelta, datetime.tzinfo, uuid.UUID, pathlib.PurePath, re.Pattern, enum.Enum,
)  # fmt: skip
_FEW = 100  # items of a tuple that are looked at
_SCALARS = frozenset({"Timestamp", "Timedelta", "NaTType", "NAType", "Period", "Interval", "CategoricalDtype"})
_FRAMES = frozenset({"DataFrame", "Series"})
_RANDOM = frozenset({"Generator", "RandomState", "Random"})
_HOLDERS = frozenset({"builtins", "collections", "types", "pandas", "itertools", "functools", "__main__"})


def is_plain(value: Any) -> bool:
    """Whether a value cannot be changed in place, so that it shares nothing that could."""
    if isinstance(value, _PLAIN):
        return True
    if isinstance(value, tuple | frozenset):
        return len(value) <= _FEW and all(is_plain(item) for item in value)
    kind = type(value)
    root = _root(kind)
    return (root == "numpy" and kind.__name__ != "ndarray" and hasattr(kind, "dtype") and hasattr(kind, "item")) or (
        root == "pandas" and (kind.__name__ in _SCALARS or kind.__name__.endswith(("Index", "Dtype")))
    )


def is_changeable(value: Any) -> bool:
    """Whether a value can be changed in place; functions and classes can, by their attributes, and hardly ever are."""
    return isinstance(value, FunctionType | type) or not is_plain(value)


def is_table(value: Any) -> bool:
    """Whether a value is a table or a column that copies itself when it is written to: pandas from 3 on, polars."""
    kind = type(value)
    if kind.__name__ not in _FRAMES:
        return False
    root = _root(kind)
    return root == "polars" or (root == "pandas" and int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3)


def is_used_up(value: Any) -> bool:
    """Whether reading a value changes it: an iterator, an open file, a source of random numbers."""
    kind = type(value)
    return hasattr(kind, "__next__") or kind.__name__ in _RANDOM


def may_share(one: Any, other: Any) -> bool:
    """Whether a change in place of one may be seen in the other. Where it cannot be told, it may."""
    if one is other:
        return is_changeable(one)
    if type(one) is other or type(other) is one:
        return True
    if is_plain(one) or is_plain(other):
        return False
    if "_io" in (_root(type(one)), _root(type(other))):
        return False  # an open file holds text or bytes
    if is_table(one) or is_table(other):
        holder = other if is_table(one) else one
        if _is_array(holder):
            return not holder.flags.writeable  # so pandas marks an array that is a view of a table
        return not is_table(holder) and _root(type(holder)) in _HOLDERS
    if _is_array(one) and _is_array(other):
        return bool(sys.modules["numpy"].may_share_memory(one, other))
    return True


def _is_array(value: Any) -> bool:
    return type(value).__name__ == "ndarray" and _root(type(value)) == "numpy"


def _root(kind: type) -> str:
    return str(getattr(kind, "__module__", "")).partition(".")[0]
