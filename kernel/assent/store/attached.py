"""The journals of this process by workspace: whoever attaches to the same one shares it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from assent.store.journal import Journal

T = TypeVar("T")

_open: dict[Path, tuple[Journal, int]] = {}
_opening = threading.Lock()
_beside: WeakKeyDictionary[Journal, dict[Callable[[Journal], Any], Any]] = WeakKeyDictionary()
_making = threading.Lock()


def attach(folder: Path) -> Journal:
    """The journal of a workspace, one for all who attach to it in this process."""
    key = folder.resolve()
    with _opening:
        journal, users = _open.get(key) or (Journal(folder), 0)
        _open[key] = journal, users + 1
        return journal


def detach(journal: Journal) -> None:
    """Let go of an attached journal; the last one to do so closes it."""
    key = journal.folder.resolve()
    with _opening:
        held, users = _open.get(key, (journal, 1))
        if held is journal and users > 1:
            _open[key] = journal, users - 1
            return
        if held is journal:
            _open.pop(key, None)
    journal.close()


def one_for(journal: Journal, make: Callable[[Journal], T]) -> T:
    """What `make` gives for a journal: made once, for all sessions of this process. It must not hold the journal."""
    with _making:
        beside = _beside.setdefault(journal, {})
        if make not in beside:
            beside[make] = make(journal)
        found: T = beside[make]
        return found


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)
