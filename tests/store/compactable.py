"""What the processes do that are killed: write runs, forget them, write on."""

from pathlib import Path

from tests.support.compacting import note

from assent.core.events import Event, Kind
from assent.core.ids import new_id
from assent.core.retention import Retention
from assent.store.compact import compact
from assent.store.journal import Journal

TIMES = 3  # that a process which nobody kills forgets


def forget_again_and_again(folder: str) -> None:
    """Note the hash of each event that is on the disk in a file beside the workspace."""
    journal = Journal(Path(folder) / "workspace")
    for _ in range(TIMES):
        for _ in range(5):
            _acknowledge(Path(folder) / "acknowledged", journal, new_id())
        compact(journal, Retention(0.0), "ana")
    journal.close()


def _acknowledge(file: Path, journal: Journal, run: str) -> None:
    events = [
        Event(kind=Kind.RUN_STARTED, run=run, body={"prompt": "p" * 70_000, "agent": {"name": "ada"}}),
        Event(kind=Kind.RUN_FINISHED, run=run, body={"text": "t"}),
    ]
    journal.append(events).result(10)
    note(file, *[event.hash for event in events])
