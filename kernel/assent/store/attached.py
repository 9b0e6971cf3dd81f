"""The journals of this process by workspace: whoever attaches to the same one shares it."""

import os
import threading
from pathlib import Path

from assent.store.journal import Journal

_open: dict[Path, tuple[Journal, int]] = {}
_opening = threading.Lock()


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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)
