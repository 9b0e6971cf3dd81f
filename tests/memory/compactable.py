"""What the processes do that are killed: remember, forget, compact."""

from pathlib import Path

from tests.memory.test_compacted import Kept
from tests.support.compacting import note

from assent.core.ids import new_id

TIMES = 3  # that a process which nobody kills compacts


def compact_again_and_again(folder: str) -> None:
    """Note each id that is remembered or forgotten on the disk, in a file beside the workspace."""
    kept = Kept(Path(folder) / "workspace")
    for _ in range(TIMES):
        for _ in range(5):
            stays, goes = kept.add(f"tea {new_id()} stays", f"tea {new_id()} goes")
            note(Path(folder) / "remembered", stays)
            kept.forget(goes)
            note(Path(folder) / "forgotten", goes)
        kept.compact()
    kept.journal.close()
