"""One way to write a value down, so that equal values have equal digests."""

import hashlib
import json
from typing import Any

_DEPTH = 100  # far below the interpreter's recursion limit
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; what JSON cannot say is written as `str(value)`."""
    return _encode(value)


def digest(value: Any) -> str:
    """sha256 (hexadecimal) of a value's canonical form."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def too_deep(value: Any, room: int = _DEPTH) -> bool:
    """Whether lists and objects are nested so deeply that writing them down could exhaust the stack."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return room == 0 or any(too_deep(item, room - 1) for item in value)


def plain(value: Any, within: tuple[int, ...] = ()) -> Any:
    """The nearest that JSON can say: other keys and values as text, an ellipsis for a cycle or endless depth."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # neither NaN nor infinity is JSON
    if id(value) in within or len(within) > _DEPTH:
        return "…"
    inside = (*within, id(value))
    if isinstance(value, dict):
        return {str(key): plain(item, inside) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, inside) for item in value]
    try:
        return str(value)
    except Exception as error:  # a foreign object's own text may fail, and must not cost the record
        return f"<{type(value).__name__} whose text raised {type(error).__name__}>"
