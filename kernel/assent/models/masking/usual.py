"""A text with each sign as it is usually written, and where that stands in the text itself.

Personal data comes out of spreadsheets, web pages, URLs and JSON: with spaces that break no line, wide digits, signs
that nobody sees, `%40`, `&#64;` or `\\u0040`. It is looked for in what these mean, and masked as it stands.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from urllib.parse import unquote

_UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_BREAKS = "\u0085\u2028\u2029"
_DASHES = "\u00af\u2010-\u2015\u2043\u207b\u2212\ufe58\ufe63\uff0d"
_POINTS = "\u00b7\u2024\u3002\uff0e\uff61"
_WIDE = "\uff01-\uff5e"
_ODD = rf"[{_UNSEEN}{_SPACES}{_BREAKS}{_DASHES}{_POINTS}{_WIDE}]|(?![ -~])\d"
_ESCAPED = (  # its first sign alone first: so a text without one is gone through quickly
    r"[%\\&](?:"
    r"(?<=%)(?:25){0,2}(?:[C-Fc-f][0-9A-Fa-f](?:%(?:25){0,2}[89ABab][0-9A-Fa-f]){1,3}|[0-7][0-9A-Fa-f])"
    r"|(?<=\\)\\{0,3}(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrt])"
    r"|(?<=&)(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});)"
)
_IN_ASCII = re.compile(_ESCAPED)
_ANYWHERE = re.compile(f"{_ODD}|{_ESCAPED}")
_MEANS = [
    (re.compile(f"[{signs}]"), usual)
    for signs, usual in ((_UNSEEN, ""), (_SPACES, " "), (_BREAKS, "\n"), (_DASHES, "-"), (_POINTS, "."))
]
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Usual:
    """`text` as usual, and of each place that is written otherwise where it stands in it, and where it stood."""

    text: str
    at: tuple[int, ...] = ()
    was: tuple[tuple[int, int, int], ...] = ()  # from, to, and the length that it has in `text`

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """From where to where a part of `text` was written."""
        return self._place(begin)[0], self._place(end - 1)[1]

    def _place(self, index: int) -> tuple[int, int]:
        known = bisect_right(self.at, index) - 1
        if known < 0:
            return index, index + 1
        begin, end, length = self.was[known]
        beyond = index - self.at[known] - length
        return (begin, end) if beyond < 0 else (end + beyond, end + beyond + 1)


def usual(text: str) -> Usual:
    """`text` as usual; itself where there is nothing odd about it, which is seen at once."""
    if text.isascii():
        if "%" not in text and "\\" not in text and "&" not in text:
            return Usual(text)
        odd = _IN_ASCII
    else:
        odd = _ANYWHERE
    return _translated(text, odd.finditer(text))


def _translated(text: str, odd: Iterator[re.Match[str]]) -> Usual:
    pieces: list[str] = []
    at: list[int] = []
    was: list[tuple[int, int, int]] = []
    done = length = 0
    for match in odd:
        begin, end = match.span()
        if (sign := _meant(match[0])) is None:
            continue
        pieces += (text[done:begin], sign)
        length += begin - done
        at.append(length)
        was.append((begin, end, len(sign)))
        length, done = length + len(sign), end
    return Usual("".join([*pieces, text[done:]]), tuple(at), tuple(was)) if at else Usual(text)


@lru_cache(maxsize=4096)
def _meant(written: str) -> str | None:
    """The sign that is meant, "" for one that nobody sees; None where no single one is."""
    if len(written) > 1:
        sign = _unescaped(written)
        return None if len(sign) != 1 else _plain(sign)
    return _plain(written)


def _plain(sign: str) -> str:
    if " " <= sign <= "~":
        return sign
    for signs, meaning in _MEANS:
        if signs.match(sign):
            return meaning
    if "\uff01" <= sign <= "\uff5e":
        return chr(ord(sign) - 0xFEE0)
    digit = unicodedata.decimal(sign, None)
    return sign if digit is None else str(digit)


def _unescaped(written: str) -> str:
    if written[0] == "&":
        return unescape(written)
    if written[0] == "%":
        return unquote(re.sub("%(?:25)+(?=[0-9A-Fa-f]{2})", "%", written))
    letters = written.lstrip("\\")
    return _CONTROL.get(letters) or chr(int(letters[1:], 16))
