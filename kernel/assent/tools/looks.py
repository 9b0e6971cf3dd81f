"""A look at a namespace: enough to tell later which variables were bound anew, grew or shrank. It reads no data."""

import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SIZED = frozenset({list, dict, set, bytearray, deque, OrderedDict, defaultdict, Counter})
# What IPython puts into the namespace, and what every module has.
_NOT_VARIABLES = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open", "_dh", "_oh", "_ih", "_exit_code"})
_OUTPUTS = re.compile(r"_{1,3}|_\d+|_i{1,3}\d*|__\w+__")


@dataclass(frozen=True, slots=True)
class Looks:
    """By variable: the identity of its value, and of containers and tables the size."""

    identities: Mapping[str, int]
    sizes: Mapping[str, Any]


def look(namespace: Mapping[str, Any]) -> Looks:
    """How the variables are now."""
    items = list(namespace.items())
    identities = {name: id(value) for name, value in items if is_variable(name)}
    sized = [(name, value) for name, value in items if type(value) in _SIZED or type(value).__name__ == "DataFrame"]
    return Looks(identities, {name: _size(value) for name, value in sized if name in identities})


def bound_anew(before: Looks, after: Looks) -> set[str]:
    """The names that another value was bound to."""
    now = after.identities
    return {name for name, identity in before.identities.items() if name in now and now[name] != identity}


def resized(before: Looks, after: Looks) -> set[str]:
    """The names whose values have another size, or other columns."""
    now = after.sizes
    return {name for name, size in before.sizes.items() if name in now and now[name] != size}


def is_variable(name: Any) -> bool:
    """Whether a name of the namespace is the analyst's, not IPython's or the module's."""
    if not isinstance(name, str) or name in _NOT_VARIABLES:
        return False
    return not name.startswith("_") or _OUTPUTS.fullmatch(name) is None


def _size(value: Any) -> Any:
    kind = type(value)
    if kind in _SIZED:
        return len(value)
    if not kind.__module__.startswith("pandas"):
        return None  # to ask a table that is somewhere else may take long
    try:
        return value.shape, id(value.columns)
    except Exception:  # what the namespace holds may be odd in any way
        return None
