"""What a piece of code did to the variables: its text beside a look at the namespace before and after.

No value is read or hashed. Where the truth cannot be told, more is said rather than less.
"""

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from assent.tools.behind import NOTHING, Behind, behind, is_of_notebook, keeps_state
from assent.tools.kinds import is_changeable, is_plain, is_table, is_used_up, may_share
from assent.tools.looks import Looks, bound_anew, is_variable, look, resized
from assent.tools.names import Names, names_in

_MOST = 500  # names of a kind that are kept of one piece of code
_LONGEST = 100_000  # characters of code that are looked at

by_calls: set[str] = set()  # what agents' calls wrote while the analyst's cell runs: the cell's record leaves it out


@dataclass(frozen=True, slots=True)
class Touched:
    """The names that a piece of code `bound` where there was none, `changed` and `deleted`.

    `read` are those whose value before mattered. What was changed in place is among them; what was written and is not
    in `read` was overwritten. `maybe` may have been changed in place, though nothing proves it. `absent`: names that it
    would have read, had there been any. `shares`: for a name that was written, those that may show its changes, and
    whose changes it may show. `later`: for functions, and what holds some, the names they read when they are called.
    """

    read: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    shares: Mapping[str, tuple[str, ...]] | None = None
    later: Mapping[str, tuple[str, ...]] | None = None
    absent: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the journal keeps it: what is empty is left out."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a piece of code as it begins."""

    names: Names
    looks: Looks
    behind: Behind
    used_up: frozenset[str]  # names whose value changes by being read or called


def begin(code: str, namespace: Mapping[str, Any]) -> Begun:
    """Look at the namespace before `code` runs in it."""
    try:
        return _begun(code, namespace)
    except Exception:  # what the namespace holds may be odd in any way; the code must run all the same
        return Begun(Names(anything=True), look(namespace), NOTHING, frozenset())


def _begun(code: str, namespace: Mapping[str, Any]) -> Begun:
    names = names_in(code) if len(code) <= _LONGEST else Names(anything=True)
    loaded = [name for name in names.loaded if name in namespace]
    used_up = frozenset(
        [name for name in loaded if name in names.read and _is_used_up(name, namespace[name], names, namespace)]
    )
    return Begun(names, look(namespace), _behind(loaded, namespace), used_up)


def end(
    begun: Begun,
    namespace: Mapping[str, Any],
    *,
    failed: bool = False,
    seen: Iterable[str] = (),
    apart: Collection[str] = (),
) -> Touched:
    """What the code did, now that it has run. `failed`: not to its end.

    `seen` were found to have changed in another way; `apart` were written by somebody else meanwhile.
    """
    try:
        return _ended(begun, namespace, failed, seen, apart)
    except Exception:  # as above
        return _by_looks(begun.looks, look(namespace))


def _ended(
    begun: Begun, namespace: Mapping[str, Any], failed: bool, seen: Iterable[str], apart: Collection[str]
) -> Touched:
    names, before, after = begun.names, begun.looks, look(namespace)
    there, here = before.identities.keys(), after.identities.keys()
    foreign = set(apart) - names.stored
    rebound = bound_anew(before, after) - foreign
    bound = (here - there) - foreign
    surely = set() if failed else names.bound & here
    overwritten = surely | (names.stored & (rebound | bound))
    functions = _joined(begun.behind, _behind(names.loaded & names.stored & here, namespace))
    read = names.read | functions.reads | (rebound - names.stored)
    read |= {name for name in names.words if name in there and name in here}
    read |= there if names.anything else set()
    changed = resized(before, after) - rebound - foreign
    changed |= ((set(seen) & here) - overwritten) | _changed(names, namespace)
    sources = changed | (names.own & here) | begun.used_up | _reached(names, functions, namespace)
    maybe = _seen_through(sources, (names.loaded | read) & here, namespace)
    changed |= {name for name in maybe if any(namespace[name] is namespace.get(other) for other in changed | names.own)}
    in_place = (changed | maybe | sources) - (overwritten - names.read)
    absent = {name for name in (names.read | functions.reads) - there - _BUILTINS if is_variable(name)}
    changed = (rebound | changed | overwritten) & there & here
    maybe = (in_place & there & here) - changed
    written = changed | bound | maybe
    return Touched(
        read=_kept((read | (in_place & here)) & there),
        bound=_kept(bound),
        changed=_kept(changed),
        deleted=_kept((there - here) - set(apart)),
        shares=_shares(written, (names.loaded | read | written) & here, namespace),
        later=_later(written, namespace),
        absent=_kept(absent),
        maybe=_kept(maybe),
    )


def _by_looks(before: Looks, after: Looks) -> Touched:
    there, here = before.identities.keys(), after.identities.keys()
    differ = bound_anew(before, after) | resized(before, after)
    return Touched(_kept(there), _kept(here - there), _kept(differ), _kept(there - here))


def _is_used_up(name: str, value: Any, names: Names, namespace: Mapping[str, Any]) -> bool:
    if isinstance(value, FunctionType):
        return keeps_state(value)
    if isinstance(value, ModuleType):
        return name in names.seeded
    if is_used_up(value):
        return True
    kind = type(value)
    if is_of_notebook(kind, namespace):
        return name in names.called | names.given and not _is_frozen(kind)
    return name in names.alone and not (is_plain(value) or is_table(value) or kind.__module__ in ("builtins", "numpy"))


def _is_frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return bool(parameters is not None and parameters.frozen)


def _changed(names: Names, namespace: Mapping[str, Any]) -> set[str]:
    """The names whose values the code's text changes in place."""
    return {name for name in names.changed if name in namespace and not is_plain(namespace[name])}


def _reached(names: Names, functions: Behind, namespace: Mapping[str, Any]) -> set[str]:
    """The names whose values functions may change that the code may call, or the text by way of a function or class."""
    named = {name for name in names.changed if name in namespace and is_plain(namespace[name])}
    reached = names.given | functions.reads if functions.changes else set()
    reached |= _behind(named, namespace).reads
    found = {name for name in reached if name in namespace and not is_plain(namespace[name])}
    return found | {name for name in named if is_changeable(namespace[name])}


def _seen_through(changed: Collection[str], names: Collection[str], namespace: Mapping[str, Any]) -> set[str]:
    """Those of `names` in which a change of the others may be seen."""
    todo, found = list(changed), set[str]()
    while todo:
        value = namespace.get(todo.pop())
        more = {name for name in names if name not in found and may_share(value, namespace.get(name))}
        found |= more
        todo += more
    return found


def _shares(written: Iterable[str], names: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    others = [name for name in names if not is_plain(namespace.get(name))]
    return {
        name: partners
        for name in sorted(written)[:_MOST]
        if (partners := _kept(o for o in others if o != name and may_share(namespace.get(name), namespace.get(o))))
    }


def _later(written: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = [(name, behind(namespace.get(name), namespace).reads) for name in sorted(written)[:_MOST]]
    return {name: kept for name, reads in found if (kept := _kept(reads - _BUILTINS))}


def _behind(names: Iterable[str], namespace: Mapping[str, Any]) -> Behind:
    """What stands behind these names together."""
    whole = NOTHING
    for name in names:
        if (found := behind(namespace[name], namespace)) is not NOTHING:
            whole = _joined(whole, found)
    return whole


def _joined(one: Behind, other: Behind) -> Behind:
    return Behind(one.reads | other.reads, one.changes or other.changes)


def _kept(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names)[:_MOST])


_BUILTINS = frozenset(dir(sys.modules["builtins"]))
