"""How many lines of a text file are other ones than before: those taken away and those added, as a diff counts them."""

import os
from collections import Counter
from difflib import SequenceMatcher
from itertools import takewhile

LARGEST = 1_000_000  # bytes of a file that are compared
_COMPARED = 500  # lines that are told from each other by their order; of more only how often each is there


def text_at(path: str) -> bytes | None:
    """What stands in a file; nothing where there is none, None where that is too much to compare or no file."""
    try:
        if os.path.getsize(path) > LARGEST or not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        return b""
    except OSError:
        return None


def lines_changed(before: bytes | None, after: bytes | None) -> int | None:
    """Lines taken away plus lines added; None where it is not known: too large, or no text."""
    if before is None or after is None or b"\0" in before or b"\0" in after:
        return None
    old, new = _apart(before.splitlines(), after.splitlines())
    if max(len(old), len(new)) > _COMPARED:
        was, will = Counter(old), Counter(new)
        return (was - will).total() + (will - was).total()
    same = sum([block.size for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()])
    return len(old) + len(new) - 2 * same


def _apart(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Without the lines that both begin and end with, which are most."""
    head = _alike(old, new)
    old, new = old[head:], new[head:]
    tail = _alike(old[::-1], new[::-1])
    return old[: len(old) - tail], new[: len(new) - tail]


def _alike(one: list[bytes], other: list[bytes]) -> int:
    return sum([1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))])
