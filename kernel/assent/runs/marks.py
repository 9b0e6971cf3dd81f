"""Which variables are for models on this machine only: by their names, which the journal keeps, or by a policy."""

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

from assent.core.errors import NotFound
from assent.core.events import Event, Kind
from assent.core.mask import matches
from assent.policy.layers import Layers
from assent.store.window import Window
from assent.tools.held import tables
from assent.tools.local_only import carrier, free, is_local_only

LATEST = re.compile(r"\b(?:_\w*|Out|In)\b")  # where IPython keeps what cells gave, and what a user calls private
WRITTEN = ("bound", "changed", "maybe")  # how code may have given a variable its value
OUTPUT = " (what it gave)"  # behind the name of `_` and its like, which mean another value each time, and of a tool


class Marks:
    """The marks that one session sees, read once and listened to from then on. Any thread may ask."""

    def __init__(self, journal: Window, namespace: Callable[[], Mapping[str, Any]]) -> None:
        self._journal = journal
        self._namespace = namespace
        self._lock = threading.Lock()
        self._names: dict[str, tuple[str, ...]] | None = None  # and what each was made of
        self._early: list[Event] = []  # heard before they were known

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The marked names, each with those that it was made of."""
        if self._names is None:
            self._journal.subscribe(self._hear)  # before the look, so that nothing comes between
            told = self._journal.events(kind=Kind.VARIABLE_MARKED)  # without the lock, for which the writer may wait
            with self._lock:
                self._names = self._names or {}
                self._apply([*told, *self._early])
        return self._names or {}

    def add(self, names: Iterable[str], by: str, derived: Sequence[str] = ()) -> None:
        """Mark variables, for this session and later ones; `derived` are those that they were made of."""
        if fresh := sorted(set(names) - set(self.names)):
            for name in fresh:
                carrier(self._namespace().get(name))
            said = {"names": fresh, "local": True, "by": by} | ({"derived": sorted(derived)} if derived else {})
            self._say(said)

    def end(self, names: Sequence[str], by: str) -> None:
        """Unmark variables; `NotFound` if one is not marked."""
        if missing := [name for name in names if name not in self.names]:
            there = ", ".join(sorted(self.names)) or "none"
            raise NotFound(
                f"{missing[0]!r} is not marked as local only; marked by name: {there}. "
                "What [[local_only]] in a policy.toml names is let go there."
            )
        for name in names:
            self._let_go(self._namespace().get(name))
        self._say({"names": list(names), "local": False, "by": by})

    def notice(self, names: Mapping[str, Any]) -> None:
        """Keep the names of what is, or holds, a table with the mark: a restart loses the tables, not the names."""
        items = list(names.items())
        if found := [name for name, value in items if is_local_only(value) and not LATEST.fullmatch(name)]:
            self.add(found, "assent.local_only")

    def wrote(self, touched: Mapping[str, Any], by: str, layers: Layers) -> None:
        """A piece of code ran: what it wrote is local only from now on, where it has read what is.

        `touched` is what became of the variables, as an event has it.
        """
        now, read = self._namespace(), touched.get("read", ())
        written = {name for how in WRITTEN for name in touched.get(how, ())}
        self.notice({name: now[name] for name in read if name in now})
        if self.hold(layers) and (local := self.local(read, layers)):
            self.add([name for name in written if is_data(now.get(name))], by, local)
        self.notice({name: now[name] for name in written if name in now})

    def hold(self, layers: Layers) -> bool:
        """Whether anything at all is local only."""
        return bool(self.names or layers.of("local_only"))

    def local(self, names: Iterable[str], layers: Layers) -> list[str]:
        """Those of the names that are local only."""
        patterns = tuple([item.name for item in layers.of("local_only")])
        return sorted(
            {
                name
                for name in names
                if name in self.names or name.endswith(OUTPUT) or (patterns and matches(patterns, name))
            }
        )

    def _let_go(self, value: Any) -> None:
        """Else it would be marked again at once. What other names a table has that it only holds stay marked."""
        held = {id(table) for table in tables(value) if table is not value}
        self.notice({name: other for name, other in self._namespace().items() if id(other) in held})
        free(value)

    def _say(self, body: Mapping[str, Any]) -> None:
        event = Event(kind=Kind.VARIABLE_MARKED, body=dict(body))
        self._journal.append([event]).result()
        with self._lock:
            self._apply([event])

    def _hear(self, events: Sequence[Event]) -> None:
        found = [event for event in events if event.kind is Kind.VARIABLE_MARKED]
        with self._lock:
            if self._names is None:
                self._early += found
            else:
                self._apply(found)

    def _apply(self, events: Iterable[Event]) -> None:
        names = dict(self._names or {})
        for event in events:
            for name in event.body["names"]:
                if event.body["local"]:
                    names[name] = tuple(event.body.get("derived", ()))
                else:
                    names.pop(name, None)
        self._names = names


def is_data(value: Any) -> bool:
    """Whether a variable's value may hold anything of what it was made of: no module, function or type."""
    return not isinstance(value, ModuleType | FunctionType | type) and value is not None
