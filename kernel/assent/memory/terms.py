"""The terms of a text: what of it is indexed, and what a query is looked up by.

Words are split where CamelCase and snake_case join them, freed of accents, lowered and stemmed (Snowball's English,
which leaves other languages' words nearly alone). Left out are stop words and single letters; single digits stay.
Scripts without spaces give each pair of neighbouring signs. What only finds more (the whole of a word that was split, a
Han sign alone) is not counted in a text's length.
"""

import re
import unicodedata
from hashlib import blake2b
from typing import NamedTuple

import Stemmer

from assent.memory.stop_words import STOP_WORDS

LONGEST = 64  # signs of a word that count
_WORDS = 50_000  # whose terms are remembered

# Thai, Lao, Burmese, Khmer, kana, Han; and Hangul, whose particles stick to the noun.
_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_UNSPACED = f"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\uac00-\ud7af{_HAN}"
# Vowels of Indic scripts and the like, which `\w` leaves out.
_MARKS = "".join([chr(code) for code in range(0x300, 0x2E80) if unicodedata.category(chr(code))[0] == "M"])
_CODE = r"[A-Za-z](?:\+\+|#)(?!\w)"  # C++, F#
_ASCII = re.compile(rf"{_CODE}|[^\W_]+")
_ANY = re.compile(rf"{_CODE}|[{_UNSPACED}]+|(?:[^\W_{_UNSPACED}]|[{_MARKS}])+|[\u2600-\u27bf\U0001f000-\U0001faff]")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_IS_HAN = re.compile(f"[{_HAN}]")
_ACCENT = re.compile("[\u0300-\u036f]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Term(NamedTuple):
    """`key` is what an index knows it by, `share` what it counts in a query.

    One that is `inside` is counted in a text's length, and stands beside its neighbours there.
    """

    text: str
    key: int
    share: float = 1.0
    inside: bool = True


_known: dict[str, tuple[Term, ...]] = {}


def terms(text: str) -> list[Term]:
    """The terms of a text in their order, as often as they stand in it."""
    found: list[Term] = []
    for word in _words(text):
        known = _known.get(word)
        if known is None:
            known = tuple(_terms_of(word))
            if len(_known) >= _WORDS:
                _known.clear()
            if len(word) <= LONGEST:
                _known[word] = known
        found += known
    return found


def query(text: str) -> dict[int, float]:
    """What the terms of a query count, by their keys: one that stands twice in it counts twice."""
    shares: dict[int, float] = {}
    for term in terms(text):
        shares[term.key] = shares.get(term.key, 0.0) + term.share
    return shares


def key(term: str) -> int:
    """64 bits of a term's hash: among ten million terms, two share one with a probability of 3 in a million."""
    return int.from_bytes(blake2b(term.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _words(text: str) -> list[str]:
    """Of the accents only those go that Latin, Greek and Cyrillic have: other scripts' marks make other letters."""
    if text.isascii():
        return _ASCII.findall(text)
    return _ANY.findall(unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFKD", text))))


def _terms_of(word: str) -> list[Term]:
    if _IS_UNSPACED.match(word):
        pairs = [word[at : at + 2] for at in range(len(word) - 1)] or [word]
        alone = [sign for sign in word if len(word) > 1 and _IS_HAN.match(sign)]
        return [*[_term(pair) for pair in pairs], *[_term(sign, 0.5, inside=False) for sign in alone]]
    if word.lower() in STOP_WORDS:
        return []
    word = word[:LONGEST]
    stem = Stemmer.Stemmer("english").stemWord  # one each time: they must not be shared by threads
    parts = _CAMEL.split(word)
    if len(parts) == 1 or min(map(len, parts)) == 1:  # mRNA and iPhone stay whole
        return [_term(stem(word.casefold()))] if _says(word.casefold()) else []
    whole = _term(stem(word.casefold()), inside=False)
    return [whole, *[_term(stem(part), 0.5) for part in map(str.casefold, parts) if _says(part)]]


def _says(word: str) -> bool:
    return word not in STOP_WORDS and (len(word) > 1 or word.isdigit() or not word.isascii())


def _term(text: str, share: float = 1.0, *, inside: bool = True) -> Term:
    return Term(text, key(text), share, inside)
