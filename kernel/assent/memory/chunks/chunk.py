"""A passage of a file, and how large it should be."""

from dataclasses import dataclass
from typing import Literal

SIZE = 1_500  # signs that a chunk should have, about
LONGEST = 2 * SIZE  # of a paragraph or a function that stays whole
SHORTEST = SIZE // 5  # what has less is joined with its neighbour
HEADING = 200  # signs of a heading that count

Unit = Literal["line", "page", "cell"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands in a file from its `unit` number `first` to its `last`, from 1, without blank lines around it.

    `title` is the path of headings that it stands under ("Guide > Install") or the qualified name of what it defines
    ("Reader.close"), empty where there is none. `part` counts, from 1, what one paragraph, function, page or cell was
    cut into because it was too long for one chunk; 0 where nothing was cut.
    """

    title: str
    text: str
    first: int
    last: int
    unit: Unit = "line"
    part: int = 0
