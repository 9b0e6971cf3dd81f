"""What is not to be parted in tests: cards by their form, and what a text tells where it ends with Ann or A."""

import re
from collections.abc import Iterator
from typing import Any

from assent.core.cut import Span, Whole

CARD = "4111 1111 1111 1111"


def cards(text: str) -> Iterator[Span]:
    for match in re.finditer(r"\d{4} \d{4} \d{4} \d{4}", text):
        yield match.span()


def names(text: str, value: Any) -> Iterator[Span]:
    for match in re.finditer(str(value), text) if str(value).endswith(("Ann", "A")) else ():
        yield match.span()


WHOLE = Whole(cards, names)
