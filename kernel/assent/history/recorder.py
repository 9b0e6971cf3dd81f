"""Writes the runs of a session into a recording, each as it ends; whoever reads the file never sees half a run."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assent.core.errors import ConfigError
from assent.core.events import Event
from assent.history.recording import header, lines, read
from assent.store.present import Identity, identity
from assent.tools.tool import Tool


class Recorder:
    """One file and the runs that are in it. The first run makes the file anew, in place of an older recording.

    `ConfigError` where there cannot be such a file, or there is one that is no recording.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers: dict[str, int] = {}
        self._seen: dict[str, int] = {}  # the last event of each run that is in the file
        self._file: Identity | None = None
        check(path)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def will(self) -> str:
        """What the next run does to the file."""
        if self._file is not None:
            return "the next run is added"
        return "the next run begins it anew" if self.path.exists() else "the next run begins it"

    def write(self, events: Sequence[Event], tools: Mapping[str, Tool[Any, Any]]) -> None:
        """Add what happened in a run since it was last added; `events` are all of its, `tools` those it had."""
        run = events[0].run or ""
        number = self._numbers.get(run, len(self._numbers) + 1)
        fresh = [event for event in events if event.seq > self._seen.get(run, 0)]
        text = "".join([f"{line}\n" for line in lines(number, fresh, tools, events[0].at)])
        if self._file is None:
            self._begin(json.dumps(header()) + "\n" + text)
        else:
            self._append(text)
        self._numbers[run], self._seen[run] = number, events[-1].seq

    def _begin(self, text: str) -> None:
        check(self.path)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(text.encode("utf-8", "replace"))
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)
        self._file = _identity(self.path)

    def _append(self, text: str) -> None:
        if _identity(self.path) != self._file:
            raise ConfigError(
                f"Somebody else has begun another recording in {self.path}. Give each notebook a file of its own, "
                "and run it again from its first cell."
            )
        data = text.encode("utf-8", "replace")
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        size = os.fstat(handle).st_size
        try:
            if os.write(handle, data) < len(data):
                os.ftruncate(handle, size)
                raise OSError(f"No room for the run in {self.path}")
        finally:
            os.close(handle)


def check(path: Path) -> None:
    """Refuse a path where no recording can be, or where something else is."""
    if not path.parent.is_dir():
        raise ConfigError(f"There is no folder {path.parent} for the recording {path.name}: make it first.")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: name a file for the recording.")
    if path.exists() and path.stat().st_size:
        try:
            read(path)
        except ConfigError:
            raise ConfigError(f"{path} is there and is no recording: name another file, or remove it.") from None


def _identity(path: Path) -> Identity | None:
    try:
        return identity(path)
    except OSError:
        return None
