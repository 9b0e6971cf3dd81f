"""US social security numbers, which have no check digit: told by their hyphens, or by the word before them."""

import re
from collections.abc import Iterator

# Social Security Administration: no area 000, 666 or from 900 on, no group 00, no serial 0000 was ever given out.
_AREA, _GROUP, _SERIAL = r"(?!000|666|9)[0-9]{3}", r"(?!00)[0-9]{2}", r"(?!0000)[0-9]{4}"
_BREAK = r"(?: ?\r?\n {0,8})?"
_HYPHENS = rf"{_AREA}-{_BREAK}{_GROUP}-{_BREAK}{_SERIAL}(?!-[0-9])"
_ANY = rf"{_AREA}[ ./-]?{_BREAK}{_GROUP}[ ./-]?{_BREAK}{_SERIAL}"
_WORD = r"(?:ssn|(?:social[\W_]?security|soc\.?[\W_]?sec)(?![A-Za-z])|socialsecurity(?=num|nr|no))"
_BETWEEN = r"[\W_]{0,6}(?:(?:number|num|no|nr|is|was)(?![A-Za-z])[\W_]{0,6}){0,3}"
_NUMBER = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_WORD}{_BETWEEN}(?P<said>{_ANY})|(?<![0-9][.-])(?P<hyphens>{_HYPHENS}))(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def ssns(text: str) -> Iterator[tuple[int, int]]:
    """Where such numbers stand in a text, as it is usually written."""
    for match in _NUMBER.finditer(text):
        yield match.span("said" if match["said"] else "hyphens")
