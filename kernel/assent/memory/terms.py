"""The terms of a text: what of it is indexed, and what a query is looked up by.

Words are split where CamelCase and snake_case join them, lowered, freed of accents and stemmed (Snowball's English,
which leaves other languages' words nearly alone). Scripts that are written without spaces give each pair of
neighbouring signs. Left out are stop words and single letters; single digits stay.
"""

import re
import unicodedata
from hashlib import blake2b

import Stemmer

from assent.memory.stop_words import STOP_WORDS

LONGEST = 64  # signs of a term that count
_WORDS = 300_000  # whose keys are remembered

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_known: dict[str, tuple[int, ...]] = {}


def terms(text: str) -> list[str]:
    """The terms of a text in their order, as often as they stand in it."""
    return [term for word in _words(text) for term in _terms_of(word)]


def keys(text: str) -> list[int]:
    """The terms as an index knows them: 64 bits of each one's hash."""
    found: list[int] = []
    for word in _words(text):
        known = _known.get(word)
        if known is None:
            if len(_known) >= _WORDS:
                _known.clear()
            known = _known[word] = tuple([key(term) for term in _terms_of(word)])
        found += known
    return found


def key(term: str) -> int:
    """64 bits of a term's hash: among ten million terms, two share one with a probability of 3 in a million."""
    return int.from_bytes(blake2b(term.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _words(text: str) -> list[str]:
    return _WORD.findall(text if text.isascii() else unicodedata.normalize("NFKC", text))


def _terms_of(word: str) -> list[str]:
    if _IS_UNSPACED.match(word):
        return [word[at : at + 2] for at in range(len(word) - 1)] or [word]
    if word.lower() in STOP_WORDS:
        return []
    parts = [_plain(part[:LONGEST]) for part in _CAMEL.split(word)]
    stem = Stemmer.Stemmer("english").stemWord  # one each time: they must not be shared by threads
    return [stem(part) for part in parts if (len(part) > 1 or part.isdigit()) and part not in STOP_WORDS]


def _plain(word: str) -> str:
    low = word.lower()
    if low.isascii():
        return low
    return "".join([sign for sign in unicodedata.normalize("NFKD", low) if not unicodedata.combining(sign)])
