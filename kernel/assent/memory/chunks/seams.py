"""Where a text that is too long for one chunk is cut: nothing is left out, and nothing is looked at often.

Each cut lies in the second half of what a chunk should hold, so that no piece is tiny.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from assent.memory.chunks.chunk import SIZE

_PROSE = [  # the strongest first; after a blank line, a sentence (in Chinese and Japanese too), a line, a word
    re.compile(pattern)
    for pattern in (
        r"\n[^\S\n]*\n",
        r"[.!?\u2026][\"'\u201d\u2019)\]]*\s|[\u3002\uff01\uff1f\uff61][\u300d\u300f\u201d\u2019\uff09]*",
        r"\n",
        r"\s|[\u3001\uff0c\uff1b\uff1a]",
    )
]
_CODE = [re.compile(pattern) for pattern in (r"[;,{}\]>]", r"\s")]
_LINE = re.compile(r"\n([^\S\n]*)(?=[^\s\]})])")

Seam = Callable[[str, int, int], int]  # the best place after the first and up to the second offset


def pieces(text: str, seam: Seam) -> Iterator[tuple[int, int]]:
    """Where each piece begins and ends: one where the text is hardly longer than a chunk should be."""
    begin = 0
    while len(text) - begin > SIZE + SIZE // 2:
        end = seam(text, begin + SIZE // 2, begin + SIZE)
        yield begin, end
        begin = end
    yield begin, len(text)


def prose(text: str, low: int, high: int) -> int:
    """After the last paragraph there, or sentence, line, word, sign."""
    return _last(_PROSE, text, low, high)


def code(text: str, low: int, high: int) -> int:
    """Before the line that is indented least, of those one after a blank line, of those the last."""
    lines = [
        (len(line[1].expandtabs(4)), text[line.start() - 1] != "\n", -line.start())
        for line in _LINE.finditer(text, low, high)
    ]
    return 1 - min(lines)[2] if lines else _last(_CODE, text, low, high)


def _last(seams: list[re.Pattern[str]], text: str, low: int, high: int) -> int:
    for seam in seams:
        ends = [found.end() for found in seam.finditer(text, low, high)]
        if ends and ends[-1] > low:
            return ends[-1]
    return next((at for at in range(high, low, -1) if not _joined(text, at)), high)


def _joined(text: str, at: int) -> bool:
    """Whether the sign there is written as one with the sign before."""
    sign = text[at]
    return (
        unicodedata.category(sign)[0] == "M"
        or "\u200d" in (sign, text[at - 1])
        or "\U0001f3fb" <= sign <= "\U0001f3ff"  # the colours of skin
    )
