"""An empty workspace without the time that it takes to make one: its schema is made once and copied."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from assent.store import database


def prepare(folder: Path) -> Path:
    """Put an empty database into a workspace that has none, as the first opening would leave it."""
    target = folder / database.FILE
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_made(), target)
    return folder


@functools.cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="assent-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database.connect(folder / database.FILE).close()
    return folder / database.FILE
