"""What stands behind a value: what its functions read when they are called, and whether they change it."""

import dis
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any

from assent.tools import in_place
from assent.tools.kinds import is_plain

_FEW = 100  # items of a container, or functions behind a value, that are looked at
_GLOBALS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"})
_CHANGES = frozenset({"STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE", "STORE_ATTR", "DELETE_ATTR"})
_IN_PLACE_OPERATORS = 13  # from here on the arguments of BINARY_OP are those of `+=` and its like


@dataclass(frozen=True, slots=True)
class Behind:
    """`reads`: global names. `changes`: something that is not the function's own may be changed in place."""

    reads: frozenset[str]
    changes: bool


NOTHING = Behind(frozenset(), False)


def behind(value: Any, namespace: Mapping[str, Any]) -> Behind:
    """What the functions that `value` is, holds or has as methods do with `namespace`, and those that they call."""
    todo, seen = [value], set[int]()
    reads: set[str] = set()
    changes = False
    while todo and len(seen) < _FEW:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        for code in _codes(item, namespace, todo):
            found = _effects(code)
            changes |= found.changes
            todo += [namespace[name] for name in found.reads - reads if name in namespace]
            reads |= found.reads
    return Behind(frozenset(reads), changes) if reads or changes else NOTHING


def keeps_state(function: FunctionType) -> bool:
    """Whether a call of a function may leave something behind in it for the next one."""
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    cells = [cell for cell in function.__closure__ or () if not _is_empty(cell)]
    held = [cell.cell_contents for cell in cells]
    return any(not is_plain(item) and not callable(item) for item in (*defaults, *held)) or bool(
        cells and _rebinds(function.__code__)
    )


def is_of_notebook(kind: type, namespace: Mapping[str, Any]) -> bool:
    """Whether a class was defined in the namespace."""
    return getattr(kind, "__module__", None) == namespace.get("__name__", "builtins") and bool(kind.__flags__ & 1 << 9)


def _codes(item: Any, namespace: Mapping[str, Any], todo: list[Any]) -> Iterator[CodeType]:
    """The code of a function; what else may hold functions is put on the list."""
    match item:
        case FunctionType():
            if item.__globals__ is namespace:
                yield item.__code__
            todo += [cell.cell_contents for cell in item.__closure__ or () if not _is_empty(cell)]
            todo += item.__defaults__ or ()
        case MethodType():
            todo += [item.__func__, item.__self__]
        case functools.partial():
            todo += [item.func, *item.args, *item.keywords.values()]
        case staticmethod() | classmethod():
            todo.append(item.__func__)
        case property():
            todo += [item.fget, item.fset]
        case list() | tuple() | set() | frozenset():
            todo += _held(item)
        case dict():
            todo += _held(item.values())
        case type():
            if is_of_notebook(item, namespace):
                todo += [*vars(item).values(), *item.__bases__]
        case _:
            todo += [item.__wrapped__] if isinstance(getattr(type(item), "__wrapped__", None), FunctionType) else []
            if type(item).__name__ == "_lru_cache_wrapper":
                todo.append(item.__wrapped__)
            elif is_of_notebook(type(item), namespace):
                todo += [type(item), *_held(getattr(item, "__dict__", {}).values())]


def _held(items: Any) -> Iterable[Any]:
    """The items of a small container that may be or hold functions."""
    if len(items) > _FEW:
        return []
    return [item for item in items if isinstance(item, FunctionType | type) or not is_plain(item)]


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # the question is whether it raises
    except ValueError:
        return True
    return False


@functools.lru_cache(maxsize=1024)
def _effects(code: CodeType) -> Behind:
    reads: set[str] = set()
    changes = bool(set(code.co_names) & (in_place.METHODS | in_place.FUNCTIONS)) or _says_in_place(code)
    for instruction in dis.get_instructions(code):
        if instruction.opname in _GLOBALS:
            reads.add(instruction.argval)
        changes |= instruction.opname in _CHANGES
        changes |= instruction.opname == "BINARY_OP" and (instruction.arg or 0) >= _IN_PLACE_OPERATORS
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = _effects(constant)
            reads |= inner.reads
            changes |= inner.changes
    return Behind(frozenset(reads), changes)


def _says_in_place(code: CodeType) -> bool:
    return any(isinstance(item, tuple) and ("inplace" in item or "out" in item) for item in code.co_consts)


def _rebinds(code: CodeType) -> bool:
    return any(item.opname == "STORE_DEREF" and item.argval in code.co_freevars for item in dis.get_instructions(code))
