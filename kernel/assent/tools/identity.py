"""Whether a tool is still the one that a person approved: a digest of its code and its schema."""

import inspect
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from assent.core.canonical import digest

_PLAIN = (str, bytes, int, float, bool, type(None))


def identity(function: Callable[..., Any], privilege: str, schema: Mapping[str, Any]) -> str:
    """Equal for equal code, wherever the function was defined and in whichever process.

    Covers the function itself and the plain values that it closes over; not what it calls, which a namespace may
    change at any time.
    """
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    closed = [_told(cell) for cell in getattr(function, "__closure__", None) or ()]
    what = [_code(code), closed] if code else f"{function.__module__}.{function.__qualname__}"
    return digest([what, privilege, schema])


def _code(code: CodeType) -> list[Any]:
    """What a function does, without the file and the lines it stands in: these differ in each process."""
    return [code.co_code.hex(), code.co_names, code.co_varnames, [_constant(value) for value in code.co_consts]]


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _code(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _told(cell: Any) -> str:
    try:
        value = cell.cell_contents
    except ValueError:  # nothing has been put in yet
        return ""
    return repr(value) if isinstance(value, _PLAIN) else type(value).__name__
