"""The files that a call writes, moves and removes: seen by Python's audit events, while the call runs.

What libraries write without Python (DuckDB's COPY, a process of its own) raises no such event and is not seen.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_MOST = 100  # files that are kept of one call
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.truncate", "os.link", "os.symlink", "sqlite3.connect"})


@dataclass(slots=True)
class Files:
    """Absolute paths, in the order in which they were first touched."""

    touched: dict[str, None] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)  # before

    @property
    def written(self) -> tuple[str, ...]:
        return tuple([path for path in self.touched if os.path.isfile(path)][:_MOST])

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple([path for path in self.touched if path in self.there and not os.path.exists(path)][:_MOST])


_files: ContextVar[Files | None] = ContextVar("files", default=None)
_installed = False


@contextlib.contextmanager
def watched() -> Iterator[Files]:
    """Note the files that code within writes, as far as it runs in this context; threads of its own do not."""
    _install()
    files = Files()
    token = _files.set(files)
    try:
        yield files
    finally:
        _files.reset(token)


def _install() -> None:
    """An audit hook cannot be taken away and costs a little for ever, so there is one, from the first call on."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS or (files := _files.get()) is None:
        return
    with contextlib.suppress(Exception):  # whatever it is, the code's own action must go on
        for path in _paths(event, arguments):
            _note(files, path)


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


def _note(files: Files, path: Any) -> None:
    if isinstance(path, int) or path is None:
        return
    name = os.path.abspath(os.fsdecode(path))
    if name in files.touched or name.startswith(("/dev/", "/proc/")) or "__pycache__" in name:
        return
    files.touched[name] = None
    if os.path.exists(name):
        files.there.add(name)
