"""What a tool gets of the arguments of a call: validated once, said in JSON, and judged and run as that.

Read off the values themselves. What a type's own serialiser makes of them may round, hide or leave out.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import AliasChoices, BaseModel, RootModel
from pydantic_core import to_jsonable_python

from assent.core.canonical import canonical, digest
from assent.core.reading import Reading
from assent.tools.tool import Tool, fitted, values_of

_DEPTH = 100  # of a value that a validator has made; what a model writes is refused at the same one
_DIGITS = 60  # written out

# Of a field: the name that its value has, those that a call may use instead, the value, whether something gave it.
_Field = tuple[str, tuple[str, ...], Any, bool]


def read(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> Reading:
    """How the tool reads them; `ValueError` says, for a model to read, why it does not."""
    return _told(arguments, fitted(tool, arguments))


def again(reading: Reading) -> Reading:
    """The same values, and what they are by now: others may hold what a validator gave, and have changed it."""
    return _told(reading.arguments, reading.model)


def _told(arguments: Mapping[str, Any], model: BaseModel) -> Reading:
    known = type(model).model_fields
    fields = [(known[name].alias or name, names, value, given) for name, names, value, given in _fields(model)]
    gets, values = _object(fields, arguments, True, _DEPTH), values_of(model)
    if _same(gets, arguments):
        return Reading(arguments, values, model=model)
    given = _object(fields, arguments, False, _DEPTH)
    return Reading(arguments, values, gets, "" if _same(given, arguments) else digest(given), model)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; 1, 1.0 and true are not."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _fields(value: Any) -> Iterator[_Field]:
    """The fields of a pydantic model or of a dataclass, and what a model took in besides; none of anything else."""
    known = getattr(type(value), "__pydantic_fields__", None)
    if known is not None:
        given = getattr(value, "__pydantic_fields_set__", known)
        yield from [(name, _names(item), getattr(value, name, None), name in given) for name, item in known.items()]
        yield from [(name, (), item, True) for name, item in (getattr(value, "__pydantic_extra__", None) or {}).items()]
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from [(item.name, (), getattr(value, item.name, None), True) for item in dataclasses.fields(value)]


def _names(field: Any) -> tuple[str, ...]:
    said = field.validation_alias
    choices = said.choices if isinstance(said, AliasChoices) else [said]
    return tuple([name for name in (field.alias, *choices) if isinstance(name, str)])


def _object(fields: list[_Field], raw: Any, filled: bool, room: int) -> dict[str, Any]:
    """Each field by its name and by those that the call used; with what was left out and filled in only if `filled`."""
    found: dict[str, Any] = {}
    also: dict[str, Any] = {}
    for name, names, value, given in fields:
        if filled or given:
            used = [item for item in (name, *names) if isinstance(raw, Mapping) and item in raw]
            found[name] = _said(value, raw[used[0]] if used else None, filled, room - 1)
            also |= dict.fromkeys(used, found[name])
    return also | found  # a name that one field has and another is also called means the first


def _said(value: Any, raw: Any, filled: bool, room: int) -> Any:
    """A value in JSON; `raw` is what the call says there."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _said(value.value, raw, filled, room - 1) if room else _opaque(value)
    if isinstance(value, int | float | Decimal | timedelta):
        return _number(value, raw)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return _within(value, raw, filled, room) if room > 0 else _opaque(value)


def _within(value: Any, raw: Any, filled: bool, room: int) -> Any:
    if isinstance(value, RootModel):
        return _said(value.root, raw, filled, room - 1)
    if fields := list(_fields(value)):
        return _object(fields, raw, filled, room)
    if isinstance(value, Mapping):
        below = raw if isinstance(raw, Mapping) else {}
        keys = [_key(key) for key in value]
        items = [_said(item, below.get(key), filled, room - 1) for key, item in zip(keys, value.values(), strict=True)]
        return dict(zip(keys, items, strict=True)) if len({*keys}) == len(keys) else _opaque(value)
    if isinstance(value, list | tuple):
        beside = raw if isinstance(raw, list) and len(raw) == len(value) else [None] * len(value)
        return [_said(item, other, filled, room - 1) for item, other in zip(value, beside, strict=True)]
    if isinstance(value, set | frozenset):
        return sorted([_said(item, None, filled, room - 1) for item in value], key=canonical)
    return _said(secret(), raw, filled, room - 1) if (secret := _secret(value)) else _plain(value)


def _secret(value: Any) -> Any:
    return getattr(type(value), "get_secret_value", None) and value.get_secret_value


def _plain(value: Any) -> Any:
    """Paths, dates, addresses and the like as text."""
    if hasattr(type(value), "__iter__"):  # to say it might use it up
        return _opaque(value)
    try:
        said = to_jsonable_python(value)
    except Exception:  # a foreign object's own methods may fail
        return _opaque(value)
    return said if said is None or isinstance(said, bool | int | str) else _opaque(value)


def _number(value: float | Decimal | timedelta, raw: Any) -> Any:
    """As the call writes it where that is the same number; a Decimal as digits, a time in seconds."""
    number = value.total_seconds() if isinstance(value, timedelta) else value
    exact = Decimal(str(number))
    if not exact.is_finite():
        return str(number)
    if isinstance(raw, int | float) and not isinstance(raw, bool) and Decimal(str(raw)) == exact:
        return raw
    if isinstance(number, Decimal):
        return f"{number:f}" if abs(number.adjusted()) < _DIGITS else str(number)
    return float(number) if isinstance(number, float) else int(number)


def _text(value: str) -> str:
    return value if type(value) is str and value.isascii() else str(value).encode("utf-8", "replace").decode()


def _key(key: Any) -> str:
    said = _said(key, None, True, 1)
    return said if isinstance(said, str) else canonical(said)


def _opaque(value: Any) -> dict[str, str]:
    """What JSON cannot say: a condition or a limit that asks about it cannot be told."""
    return {"a value of": type(value).__name__}
