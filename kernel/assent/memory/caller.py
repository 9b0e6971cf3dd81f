"""The run whose call remembers or recalls: what is added is its own, and it has read what is found."""

from collections.abc import Callable
from dataclasses import dataclass

from assent.core.events import Scope
from assent.core.taint import Sources


@dataclass(frozen=True, slots=True)
class Caller:
    """`taint` is what the run has read so far, and `read` tells it what it reads now.

    `withheld` says of a text why it must not be kept, "" where it may be.
    """

    scope: Scope
    taint: Sources
    withheld: Callable[[str], str]
    read: Callable[[Sources], None]
