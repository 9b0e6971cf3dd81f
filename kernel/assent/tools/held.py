"""The tables of pandas that a value is, or holds: in lists, dicts and the like, in attributes and functions."""

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from types import BuiltinMethodType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

_MOST = 1_000  # items that are looked at of one value, in all that it holds
_LIBRARIES = ("pandas", "geopandas")
_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})
_NO_HOLDERS = (ModuleType, type, BuiltinMethodType, str, bytes)
_READ: tuple[tuple[type, Callable[[Any], Iterator[Any]]], ...] = (
    (dict, lambda value: iter(dict.values(value))),
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
    (deque, deque.__iter__),
)


def is_table(value: Any) -> bool:
    """Whether `value` is a DataFrame or a Series, told without importing pandas."""
    kind = type(value)
    return kind.__module__.partition(".")[0] in _LIBRARIES and isinstance(getattr(value, "attrs", None), dict)


def tables(value: Any) -> list[Any]:
    """The tables that `value` is or holds; of an object those in its attributes, not those in other objects there.

    Of a function those that it has kept: as defaults, from around it, what it is a method of, or is given beforehand.
    """
    if type(value) in _PLAIN:
        return []
    if is_table(value):
        return [value]
    found: list[Any] = []
    todo, left = [_items(value, _MOST) or _attributes(value)], _MOST
    while todo and left > 0:
        items = todo.pop()[:left]
        left -= len(items)
        if set(map(type, items)) <= _PLAIN:
            continue
        found += [item for item in items if is_table(item)]
        todo += [inner for item in items if not _is_namespace(item) and (inner := _items(item, left))]
    return list({id(item): item for item in found}.values())


def _items(value: Any, most: int) -> tuple[Any, ...]:
    read = next((read for kind, read in _READ if isinstance(value, kind)), None)
    return () if read is None else tuple(islice(read(value), max(most, 0)))  # no other thread comes in between


def _attributes(value: Any) -> tuple[Any, ...]:
    if isinstance(value, _NO_HOLDERS):
        return ()
    if isinstance(value, MethodType):
        return (value.__self__,)
    if isinstance(value, functools.partial):
        return (*value.args, *value.keywords.values(), getattr(value.func, "__self__", None))
    if isinstance(value, FunctionType):
        return tuple(_kept(value))
    found: list[Any] = []
    with contextlib.suppress(Exception):  # what the namespace holds may be odd in any way
        found += object.__getattribute__(value, "__dict__").values()
    for kind in type(value).__mro__:
        for slot in vars(kind).values() if "__slots__" in vars(kind) else ():
            if isinstance(slot, MemberDescriptorType):
                with contextlib.suppress(AttributeError):  # it has no value yet
                    found.append(slot.__get__(value))
    return tuple(found)


def _kept(function: FunctionType) -> Iterator[Any]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # it has no value yet
            yield cell.cell_contents


def _is_namespace(value: Any) -> bool:
    """Whether a value is the variables of a module, or of the notebook, which an object of IPython's may hold."""
    return isinstance(value, dict) and "__name__" in value
