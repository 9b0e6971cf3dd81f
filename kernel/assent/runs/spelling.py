"""A type as it is written: `list[str]`, `Invoice | None`; read over known names, and never run as code."""

import ast
import datetime
import decimal
import typing
import uuid
from collections.abc import Mapping
from types import EllipsisType, ModuleType, NoneType, UnionType
from typing import Any, get_args, get_origin

from assent.core.errors import ConfigError, NotFound

_PLAIN: tuple[type, ...] = (
    str, int, float, bool, list, dict, tuple, set, frozenset,
    datetime.date, datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID,
)  # fmt: skip
_TYPING = ("Any", "Literal", "Optional", "Union", "List", "Dict", "Tuple", "Set")
_KNOWN: Mapping[str, Any] = {
    **{kind.__name__: kind for kind in _PLAIN},
    **{f"{kind.__module__}.{kind.__name__}": kind for kind in _PLAIN},
    **{f"{prefix}{name}": getattr(typing, name) for name in _TYPING for prefix in ("", "typing.")},
}
_LONGEST = 200  # characters of a spelling that only this process can read


def is_type(value: Any) -> bool:
    """Whether `value` is a type or an annotation, as against a value of one."""
    own = type(value).__module__ in ("typing", "typing_extensions") and not isinstance(value, str)
    return isinstance(value, type) or get_origin(value) is not None or own


def spelled(kind: Any, names: Mapping[str, Any]) -> str:
    """How to write `kind` so that `kind_of` finds it again, in another process too, if its names are known there."""
    try:
        text = _spelled(kind)
    except ValueError:
        text = repr(kind)[:_LONGEST]
    return text if _reads(text, kind, names) else _name_of(kind, names) or text


def kind_of(text: str, names: Mapping[str, Any]) -> Any:
    """The type that `text` writes. `NotFound` for a name that is not known, `ConfigError` for what is no type."""
    try:
        return _read(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConfigError(
            f"{text[:_LONGEST]!r} is no type. Write one (int, list[str]), the name of one, or columns: "
            "region: str, revenue: float."
        ) from None


def _reads(text: str, kind: Any, names: Mapping[str, Any]) -> bool:
    try:
        return bool(kind_of(text, names) == kind)
    except (ConfigError, NotFound):
        return False


def _name_of(kind: Any, names: Mapping[str, Any]) -> str:
    return next((name for name, value in list(names.items()) if value is kind and not name.startswith("_")), "")


def _spelled(kind: Any) -> str:
    if kind is NoneType or kind is None:
        return "None"
    if isinstance(kind, EllipsisType):
        return "..."
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (typing.Union, UnionType):
        return " | ".join([_spelled(item) for item in arguments])
    if origin is typing.Literal and all(isinstance(item, (str, int, bool)) for item in arguments):
        return f"Literal[{', '.join([repr(item) for item in arguments])}]"
    if kind is Any:
        return "Any"
    if origin is None and isinstance(kind, type):
        return kind.__name__
    if isinstance(origin, type):
        return f"{origin.__name__}[{', '.join([_spelled(item) for item in arguments])}]"
    raise ValueError(kind)


def _read(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name() | ast.Attribute():
            return _named(ast.unparse(node), names)
        case ast.Constant(value=None):
            return None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return typing.Union[_read(left, names), _read(right, names)]  # noqa: UP007  # made of values
        case ast.Subscript(value=value, slice=inside):
            return _subscribed(_read(value, names), inside, names)
    raise ConfigError(f"{ast.unparse(node)!r} is no type: write names, [ ] and | only.")


def _subscribed(base: Any, inside: ast.expr, names: Mapping[str, Any]) -> Any:
    items = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if base is typing.Literal:
        arguments = [_constant(item) for item in items]
    else:
        arguments = [... if _is_dots(item) else _read(item, names) for item in items]
    try:
        return base[arguments[0] if len(arguments) == 1 else tuple(arguments)]
    except (TypeError, ValueError, IndexError) as error:
        raise ConfigError(f"The type cannot be read: {error}.") from None


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _constant(node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = ...
    if not isinstance(value, (str, int, NoneType)):
        raise ConfigError(f"{ast.unparse(node)} cannot stand in Literal[…]: write texts and whole numbers.")
    return value


def _named(name: str, names: Mapping[str, Any]) -> Any:
    root, _, rest = name.partition(".")
    value = names.get(root)
    for part in rest.split(".") if rest else ():
        value = vars(value).get(part) if isinstance(value, ModuleType) else None
    if is_type(value):
        return value
    if name in _KNOWN:
        return _KNOWN[name]
    if value is None:
        raise NotFound(f"There is no type {name!r} in this session. Run the cell that defines it, then try again.")
    raise ConfigError(f"{name!r} is {type(value).__name__} here, not a type.")
