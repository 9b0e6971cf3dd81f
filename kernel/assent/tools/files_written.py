"""The files that a call writes, moves and removes, and what it reaches: seen by Python's audit events, while it runs.

What libraries write without Python (DuckDB's COPY, a process of its own) raises no such event and is not seen.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from assent.core.taint import Source
from assent.tools.entering import EVENTS, entered
from assent.tools.idempotency import call_at_work
from assent.tools.lines_changed import lines_changed, text_at

_MORE = Source("code", "more than it is worth to list")
_MOST = 100  # files that are kept of one call
_KEPT = 8_000_000  # bytes of theirs that are kept meanwhile, to compare them
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.truncate", "os.link", "os.symlink", "sqlite3.connect"})


_HEARD = _EVENTS | EVENTS
OF_FILES = frozenset({"files", "removed", "lines"})  # in `touched` of a call


@dataclass(slots=True)
class Files:
    """Absolute paths, in the order in which they were first touched. Threads left behind may still add some."""

    touched: dict[str, None] = field(default_factory=dict)
    databases: set[str] = field(default_factory=set)  # of these, opened by sqlite: whether written nobody tells
    there: set[str] = field(default_factory=set)  # before
    before: dict[str, bytes] = field(default_factory=dict)  # what stood in them, as far as it is compared
    read: dict[Source, None] = field(default_factory=dict)  # what `tools.entering` makes of it

    @property
    def written(self) -> tuple[str, ...]:
        return tuple([path for path in list(self.touched) if os.path.isfile(path)][:_MOST])

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple([path for path in list(self.touched) if path in self.there and not os.path.exists(path)][:_MOST])

    def deeds(self, *, reads: bool) -> tuple[str, ...]:
        """What was seen to be done outside: files written and removed, programs, hosts unless it `reads`."""
        wrote = [f"wrote {path}" for path in self.written if path not in self.databases]
        removed = [f"removed {path}" for path in self.removed]
        hosts = [f"connected to {source.name}" for source in list(self.read) if source.kind == "web" and not reads]
        programs = [f"used {source.name}" for source in list(self.read) if source.kind == "process"]
        return (*wrote, *removed, *hosts, *programs)

    def to_json(self) -> dict[str, Any]:
        """As `touched` of a call says it; nothing where no file was written or removed."""
        if not (self.written or self.removed):
            return {}
        counted = {"lines": changed} if (changed := self.lines) else {}
        return {"files": self.written, "removed": self.removed, **counted}

    @property
    def lines(self) -> int:
        """Lines that are other ones than before, in the files of which that is known."""
        known = [lines_changed(self.before.get(path), text_at(path)) for path in list(self.touched)]
        return sum([count or 0 for count in known])


_files: ContextVar[Files | None] = ContextVar("files", default=None)
_adopted: ContextVar[Files | None] = ContextVar("adopted", default=None)  # of a thread that code within has started
_looks: ContextVar[bool] = ContextVar("looks", default=False)  # that we read is nothing that the code does
_calls: dict[str, Files] = {}  # of the calls at work, by id: for threads and pools, which have no context of theirs
_installed = False


@contextlib.contextmanager
def watched() -> Iterator[Files]:
    """Note the files that code within writes, as far as it runs in this context, and what it and its threads read."""
    _install()
    files = Files()
    token, profile = _files.set(files), threading.getprofile()

    def adopt(*_: Any) -> None:
        """What a thread that begins meanwhile does first: what it reads counts, from now on."""
        sys.setprofile(profile)
        _adopted.set(files)

    threading.setprofile(adopt)
    try:
        yield files
    finally:
        threading.setprofile(profile)
        _files.reset(token)


@contextlib.contextmanager
def watched_call(call: str) -> Iterator[Files]:
    """The same of a call's own code, in its context and in threads that it starts: calls run at the same time."""
    _install()
    files = _calls[call] = Files()
    token = _files.set(files)
    try:
        yield files
    finally:
        _files.reset(token)
        _calls.pop(call, None)


def _install() -> None:
    """An audit hook cannot be taken away and costs a little for ever, so there is one, from the first call on."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _HEARD or _looks.get():
        return
    own = _files.get() or _calls.get(call_at_work())
    if (files := _files.get() or _adopted.get() or own) is None:
        return
    with contextlib.suppress(Exception):  # whatever it is, the code's own action must go on
        if own is not None and event in _EVENTS:
            for path in _paths(event, arguments):
                _note(own, path, event)
        if len(files.read) < _MOST:
            files.read.update(dict.fromkeys(entered(event, arguments)))
        elif entered(event, arguments):
            files.read[_MORE] = None


def _paths(event: str, arguments: tuple[Any, ...]) -> list[Any]:
    match event:
        case "open":
            path, mode, flags = arguments
            writes = set(mode) & set("wax+") if isinstance(mode, str) else (flags or 0) & _WRITING
            return [path] if writes else []
        case "os.rename":
            return list(arguments[:2])
        case "os.link" | "os.symlink":
            return [arguments[1]]
        case _:
            return [arguments[0]]


def _note(files: Files, path: Any, event: str) -> None:
    if isinstance(path, int) or path is None:
        return
    name = os.path.abspath(os.fsdecode(path))
    if event == "sqlite3.connect":
        files.databases.add(name)
    else:
        files.databases.discard(name)
    if name in files.touched or name.startswith(("/dev/", "/proc/")) or "__pycache__" in name:
        return
    files.touched[name] = None
    if os.path.exists(name):
        files.there.add(name)
    token = _looks.set(True)
    try:
        if (text := text_at(name)) is not None and sum(map(len, files.before.values())) < _KEPT:
            files.before[name] = text
    finally:
        _looks.reset(token)
