"""What has to be on the disk, and not only on its way there."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """What was written to a file, or the names in a folder, is on the disk afterwards."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
