"""People who can prove who they are, for tests that ask for two of them."""

import functools
import tempfile
from pathlib import Path

from assent.core import people

NAMES = ("ada", "ana", "ben", "bo", "eve", "eva")


def passphrase(name: str) -> str:
    return f"the passphrase of {name}"


@functools.cache
def listed() -> Path:
    """A list of them, made once: each digest takes its time on purpose."""
    file = Path(tempfile.mkdtemp(prefix="assent-people-")) / "people.json"
    for name in NAMES:
        people.enrol(name, passphrase(name), file=file)
    return file
