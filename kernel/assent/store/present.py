"""Whether the database that is open is still the file in its place: a deleted one takes commits all the same."""

from pathlib import Path

from assent.core.errors import WorkspaceGone

Identity = tuple[int, int]


def identity(path: Path) -> Identity:
    """What tells a file from another one that takes its place."""
    status = path.stat()
    return status.st_dev, status.st_ino


def check(path: Path, opened: Identity) -> None:
    """`WorkspaceGone` unless the file that was `opened` is the one at `path`. Takes a microsecond or two."""
    try:
        there = identity(path)
    except (FileNotFoundError, NotADirectoryError):
        there = None
    except OSError:  # a disk that does not answer says nothing of the file
        return
    if there != opened:
        raise WorkspaceGone(
            f"The workspace {path.parent} was {'replaced' if there else 'deleted or moved'} while it was open, so "
            "nothing is written to it any more. What it held can still be read from here, with %agent sql. "
            "`%reload_ext assent` opens what is in its place then: the old one, if you put it back first, or a new one."
        )
