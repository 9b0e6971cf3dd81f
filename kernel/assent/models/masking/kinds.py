"""Personal data that a text shows by itself: where each kind stands, by its form and its check digits."""

import re
from collections.abc import Callable, Iterator, Mapping

Span = tuple[int, int]

_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")  # RFC 5321 allows 64 octets before the @
_AT = re.compile("@|%40|\uff20")  # also as URLs write it, and in wide letters
_STRIP = re.compile(r"\A[^\w]+")
_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{2,63}")


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses, as RFC 5321 has them, also in URLs; found by their @, so no long word is gone through twice."""
    for at in _AT.finditer(text):
        before = _LOCAL.search(text, max(at.start() - 64, 0), at.start())
        after = _DOMAIN.match(text, at.end())
        if before and after:
            lead = _STRIP.match(before[0])
            begin = before.start() + (lead.end() if lead else 0)
            if begin < at.start():
                yield begin, after.end()


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _iban(text: str) -> bool:
    """ISO 13616: the first four signs to the end, letters as numbers from 10 on, the rest by 97 is 1 (ISO 7064)."""
    turned = text[4:] + text[:4]
    return int("".join([str(int(sign, 36)) for sign in turned])) % 97 == 1


def _cpf(digits: str) -> bool:
    """Receita Federal do Brasil, Instrução Normativa RFB 1.548/2015: two check digits, each a weighted sum by 11."""
    for length in (9, 10):
        total = sum([int(digit) * (length + 1 - place) for place, digit in enumerate(digits[:length])])
        if int(digits[length]) != total * 10 % 11 % 10:
            return False
    return len(set(digits)) > 1


def _ahv(digits: str) -> bool:
    """Swiss Federal Social Insurance Office (AHVN13): the check digit of an EAN-13 (GS1)."""
    return sum([int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)]) % 10 == 0


def _steuer_id(digits: str) -> bool:
    """Bundeszentralamt für Steuern, § 139b AO: ISO 7064 MOD 11,10; of the first ten digits one or two stand twice."""
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10]) and len(set(digits[:10])) in (8, 9)


def _dni(text: str) -> bool:
    """Real Decreto 1553/2005: the letter is that of the number by 23; X, Y and Z of a NIE count as 0, 1 and 2."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


def _nir(text: str) -> bool:
    """INSEE, décret 82-103: 97 less the number by 97; the departments 2A and 2B count as 19 and 18."""
    number = text[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def _bsn(digits: str) -> bool:
    """Rijksdienst voor Identiteitsgegevens, the "elfproef": weights 9 to 2, and -1 for the last."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum([int(digit) * weight for digit, weight in zip(digits, weights, strict=True)]) % 11 == 0


def _nhs(digits: str) -> bool:
    """NHS Data Dictionary, "NHS number": 11 less the sum of weights 10 to 2 by 11; 10 is none, 11 is 0."""
    total = sum([int(digit) * (10 - place) for place, digit in enumerate(digits[:9])])
    return (11 - total % 11) % 11 == int(digits[9])


_IN = r"(?<![0-9A-Za-z])"
_OUT = r"(?![0-9A-Za-z])"
_GAP = r"[ \u00a0\u2007\u202f\u2010\u2011-]"  # those that break no line, too: spreadsheets and web pages have them
# For each kind its forms, ~ being a gap, and what a checksum says of the signs that are neither space, point nor dash.
_CHECKED: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "card": (r"[2-6]\d{12,18}|[2-6]\d{3}(~)\d{4}\1\d{4}\1\d{1,7}|3\d{3}(~)\d{6}\2\d{4,5}", _luhn),
    "iban": (r"[A-Z]{2}\d\d[A-Z0-9]{11,30}|[A-Z]{2}\d\d(?:~[A-Z0-9]{4}){2,7}(?:~[A-Z0-9]{1,3})?", _iban),
    "br_cpf": (r"\d{3}\.\d{3}\.\d{3}-\d\d|\d{11}", _cpf),
    "ch_ahv": (r"756\.\d{4}\.\d{4}\.\d\d|756\d{10}", _ahv),
    "de_steuer_id": (r"[1-9]\d(?: \d{3}){3}|[1-9]\d{10}", _steuer_id),
    "es_dni": (r"(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]", _dni),
    "fr_nir": (r"[1-478] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", _nir),
    "nl_bsn": (r"\d{9}|\d{4}\.\d\d\.\d{3}", _bsn),
    "uk_nhs": (r"\d{3}([ -])\d{3}\1\d{4}|\d{10}", _nhs),
}
_PATTERNS = {kind: re.compile(f"{_IN}(?:{form.replace('~', _GAP)}){_OUT}") for kind, (form, _) in _CHECKED.items()}
SEPARATORS = re.compile(rf"\.|{_GAP}")


def find(kind: str, text: str) -> Iterator[Span]:
    """Where that kind of data stands in a text."""
    if kind == "email":
        yield from emails(text)
        return
    check = _CHECKED[kind][1]
    for match in _PATTERNS[kind].finditer(text):
        if check(SEPARATORS.sub("", match[0])):
            yield match.span()


def same(kind: str, value: str) -> str:
    """A value as it is compared with others of its kind: without what may be written one way or another."""
    if kind == "email":
        return _AT.sub("@", value).casefold()
    return SEPARATORS.sub("", value) if kind in _CHECKED else value
