"""What variables and files carry of untrusted sources: a fold over what calls and cells have written.

A call that has read untrusted content, or a run that has, marks all that it binds, changes or saves; a cell marks what
it makes of something marked. What is bound anew from clean values is clean again. The events say it themselves:
`taint` beside `touched`.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from assent.core.events import Kind
from assent.core.ids import KERNEL
from assent.core.taint import Source, Sources, from_json, merged
from assent.store.window import Window
from assent.tools.variables import ANY

_WRITTEN = ("bound", "changed", "maybe", "deleted")
_IN = f"kind IN ('{Kind.CALL_FINISHED}', '{Kind.CELL_RAN}')"
_FIRST = f"""SELECT min(seq) FROM events WHERE {_IN} AND contains(CAST(body AS VARCHAR), '"taint"')"""
_SINCE = f"""SELECT body -> 'touched', body -> 'taint' FROM events
    WHERE {_IN} AND seq >= ? AND contains(CAST(body AS VARCHAR), '"touched"') ORDER BY seq"""

_KEPT = 16  # runs whose answers are remembered
Written = tuple[Mapping[str, Any], Sources]  # `touched` of an event, and what it says that this carries


class Carried:
    """By the kernel's variables, and by files. Any thread may ask.

    A variable of which this kernel tells nothing may have come from an earlier one: it carries what a variable of that
    name carried last there. `earlier` reads that from the journal, the first time that somebody asks. Where cells are
    not followed (`follows`), such a variable may be made of any.
    """

    def __init__(
        self, earlier: Callable[[], Iterable[Written]] = list, follows: Callable[[], bool] = lambda: True
    ) -> None:
        self._earlier: Callable[[], Iterable[Written]] | None = earlier
        self._follows = follows
        self._answers: dict[str, Sources] = {}  # of the latest runs
        self._lately: Sources = ()  # of those that ended since the cell began, and of what it was shown
        self._here: dict[str, Sources] = {}  # this kernel's variables that something has written
        self._before: dict[str, Sources] = {}  # those of other kernels, by name alone
        self._files: dict[str, Sources] = {}
        self._lock = threading.RLock()

    def variable(self, name: str) -> Sources:
        """What a variable carries; ANY means all of them together."""
        with self._lock:
            if name == ANY:
                self._look_back()
                return merged(*self._before.values(), *self._here.values())
            if (known := self._here.get(name)) is None:
                self._look_back()
                known = self._here.get(name, self._before.get(name))
            if known is None:
                known = () if self._follows() else self.variable(ANY)
            return known

    def file(self, path: str) -> Sources:
        """What a file carries beside being one."""
        with self._lock:
            self._look_back()
            return self._files.get(path, ())

    def wrote(self, touched: Mapping[str, Any], sources: Sources) -> None:
        """Take in what a call or a cell has written, and what that carries."""
        with self._lock:
            for name in _names(touched):
                self._here[name] = sources
            self._save(touched, sources)

    def answered(self, run: str, sources: Sources) -> None:
        """A run has ended, and its answer carries these."""
        with self._lock:
            self._answers = dict([*list(self._answers.items())[1 - _KEPT :], (run, sources)])
            self._lately = merged(self._lately, sources)

    def shown(self, sources: Sources) -> None:
        """The analyst's cell has been given what carries these, beside what it reads."""
        with self._lock:
            self._lately = merged(self._lately, sources)

    def cell_begins(self) -> None:
        """A cell of the analyst's begins to run."""
        self._lately = ()

    def cell(self, body: Mapping[str, Any]) -> Sources:
        """Take in the body of CELL_RAN: what the cell's variables carry, by what it read and by the runs it started."""
        touched, run = body["touched"], body.get("run")
        beside = self._lately if run is None else self._answers.get(run, (Source("agent", run),))
        sources = merged(*[self.variable(name) for name in touched.get("read", ())], beside)
        self.wrote(touched, sources)
        return sources

    def _look_back(self) -> None:
        earlier, self._earlier = self._earlier, None
        here: dict[str, Sources] = {}
        for touched, sources in earlier() if earlier is not None else ():
            place = here if touched.get("kernel") == KERNEL else self._before
            place.update(dict.fromkeys(_names(touched), sources))
            self._save(touched, sources)
        self._here = here | self._here  # what was heard meanwhile is newer

    def _save(self, touched: Mapping[str, Any], sources: Sources) -> None:
        for path in touched.get("files", ()):
            _mark(self._files, os.path.realpath(path), sources)
        for path in touched.get("removed", ()):
            self._files.pop(os.path.realpath(path), None)


def _names(touched: Mapping[str, Any]) -> list[str]:
    return [name for how in _WRITTEN for name in touched.get(how, ())]


def _mark(files: dict[str, Sources], path: str, sources: Sources) -> None:
    """A file that is written may have been added to, so it keeps what it carried."""
    if found := merged(files.get(path, ()), sources):
        files[path] = found


def of_journal(journal: Window, follows: Callable[[], bool]) -> Carried:
    """What the journal tells, as far as the session may see it."""
    return Carried(lambda: _told(journal), follows)


def _told(journal: Window) -> list[Written]:
    [(first,)] = journal.select(_FIRST)
    if first is None:
        return []
    rows = journal.select(_SINCE, [first])
    return [(json.loads(touched), from_json(json.loads(taint or "null"))) for touched, taint in rows if touched]


def resolved(source: Source, carried: Carried) -> Sources:
    """A source as it is recorded: of a variable what it carries, of a file its path without links and what it has."""
    if source.kind == "variable":
        return carried.variable(source.name)
    if source.kind == "file":
        try:
            path = os.path.realpath(os.path.expanduser(source.name))
        except ValueError:  # no name for a file
            path = source.name
        return (Source("file", path), *carried.file(path))
    return (source,)
