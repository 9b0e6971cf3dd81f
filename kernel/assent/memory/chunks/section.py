"""Where in a text something new begins, and under which headings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assent.memory.chunks.chunk import HEADING, SHORTEST

Path = tuple[tuple[int, str], ...]  # the headings that something stands under, each with its level


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that no chunk leaves: from the one at `start`, counted from 0, to where the next section starts."""

    start: int
    title: str


def under(path: Path, level: int, heading: str) -> Path:
    """The path after one more heading, which ends those of its level and below."""
    return (*[above for above in path if above[0] < level], (level, " ".join(heading[:HEADING].split())))


def title(path: Path) -> str:
    """The headings of a path in one line."""
    return " > ".join([heading for _, heading in path if heading])


def headed(head: Section, parts: Sequence[Section], size: int) -> list[Section]:
    """The sections of what consists of parts and has a head of `size` signs: a tiny head goes with the first part."""
    if parts and size < SHORTEST:
        return [Section(head.start, parts[0].title), *parts[1:]]
    return [head, *parts]


def spans(sections: Sequence[Section], end: int) -> Iterator[tuple[int, int, str]]:
    """Each section's first line, the line after its last, and its title; what stands before all has none."""
    for one, following in pairwise([Section(0, ""), *sections, Section(end, "")]):
        if one.start < following.start:
            yield one.start, following.start, one.title
