"""Personal data that a text shows by itself: where each kind stands, by its form and its check digits."""

import re
from collections.abc import Callable, Iterator, Mapping

from assent.models.masking.email import emails
from assent.models.masking.iban import ibans
from assent.models.masking.ssn import ssns
from assent.models.masking.usual import Usual, usual

Span = tuple[int, int]

# The first digits of payment cards (ISO/IEC 7812): those of the industries 3 to 6, and Mastercard's and Mir's with 2.
_ISSUER = re.compile(r"[3-6]|220[0-4]|22[2-9]|2[3-6]|27[01]|2720")


def _card(digits: str) -> bool:
    return 13 <= len(digits) <= 19 and _ISSUER.match(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


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


_BREAK = r" ?\r?\n {0,8}"
_GAP = rf"(?: {{1,2}}| ?[-./+_] ?|-?{_BREAK})"  # within a card
_SIGN = rf"(?:[ ./-]|{_BREAK})"  # within the others
_MAYBE = f"{_SIGN}?"


def _grouped(*groups: str, gap: str = _MAYBE) -> str:
    return gap.join(groups)


# For each kind its forms, the longer before the shorter, and what a checksum says of their digits and letters.
_CHECKED: Mapping[str, tuple[tuple[str, ...], Callable[[str], bool]]] = {
    "card": (
        (
            _grouped("[2-6][0-9]{3}", "[0-9]{4}", "[0-9]{4}", "[0-9]{4}", "[0-9]{3}", gap=_GAP),
            _grouped("[2-6][0-9]{3}", "[0-9]{4}", "[0-9]{4}", "[0-9]{1,7}", gap=_GAP),
            _grouped("3[0-9]{3}", "[0-9]{6}", "[0-9]{4,5}", gap=_GAP),
            "[2-6][0-9]{12,18}",
            "[2-6][0-9]{0,2}(?P<thousands>[ ,.'_])[0-9]{3}(?:(?P=thousands)[0-9]{3}){3,5}",
        ),
        _card,
    ),
    "br_cpf": ((_grouped("[0-9]{3}", "[0-9]{3}", "[0-9]{3}", "[0-9]{2}"),), _cpf),
    "ch_ahv": ((_grouped("756", "[0-9]{4}", "[0-9]{4}", "[0-9]{2}"),), _ahv),
    "de_steuer_id": ((_grouped("[1-9][0-9]", "[0-9]{3}", "[0-9]{3}", "[0-9]{3}"),), _steuer_id),
    "es_dni": ((_grouped(r"(?:[0-9]{8}|[0-9]{2}\.[0-9]{3}\.[0-9]{3})", "[A-Z]"),
                _grouped("[XYZ]", r"(?:[0-9]{7}|[0-9]\.[0-9]{3}\.[0-9]{3})", "[A-Z]")), _dni),
    "fr_nir": ((_grouped("[1-478]", "[0-9]{2}", "[0-9]{2}", "(?:[0-9]{2}|2[AB])", "[0-9]{3}", "[0-9]{3}",
                         "[0-9]{2}"),), _nir),
    "nl_bsn": (("[0-9]{9}", rf"[0-9]{{4}}(?P<four>{_SIGN})[0-9]{{2}}(?P=four)[0-9]{{3}}",
                rf"[0-9]{{3}}(?P<three>{_SIGN})[0-9]{{3}}(?P=three)[0-9]{{3}}"), _bsn),
    "uk_nhs": (("[0-9]{10}", "[0-9]{3}(?P<gap>[ -])[0-9]{3}(?P=gap)[0-9]{4}"), _nhs),
}  # fmt: skip
_IN = r"(?<![0-9A-Za-z])(?<![0-9]\.)"  # nor behind a decimal point
_LETTERS = ("es_dni", "fr_nir")  # have some, large or small
_OUT = r"(?![0-9A-Za-z])"
_FORMS = {
    kind: [
        re.compile(f"{_IN}(?:{form}){_OUT}", re.IGNORECASE if kind in _LETTERS else 0)
        for form in ("|".join(forms), *forms)
    ]
    for kind, (forms, _) in _CHECKED.items()
}
_BETWEEN = re.compile(r"[^0-9A-Za-z]+")


def find(kind: str, text: Usual) -> Iterator[Span]:
    """Where that kind of data stands in a text, as it was written."""
    for begin, end in _found(kind, text.text):
        yield text.span(begin, end)


def _found(kind: str, text: str) -> Iterator[Span]:
    if kind == "email":
        yield from emails(text)
    elif kind == "iban":
        yield from ibans(text)
    elif kind == "us_ssn":
        yield from ssns(text)
    else:
        yield from _numbers(kind, text)


def _numbers(kind: str, text: str) -> Iterator[Span]:
    """What fails its check in one form may hold in another, or from a later sign on."""
    check, (some, *forms) = _CHECKED[kind][1], _FORMS[kind]
    at = 0
    while first := some.search(text, at):
        at = first.start() + 1
        for match in (form.match(text, first.start()) for form in forms):
            if match is not None and _is_even(kind, match[0]) and check(_BETWEEN.sub("", match[0]).upper()):
                yield match.span()
                at = match.end()
                break


def _is_even(kind: str, number: str) -> bool:
    """Whether its gaps may be those of one number: a line breaks once, and a card's are alike otherwise."""
    gaps = _BETWEEN.findall(number)
    breaks = len([gap for gap in gaps if "\n" in gap])
    return breaks <= 1 and (kind != "card" or len(set(gaps)) - breaks <= 1)


def same(kind: str, value: str) -> str:
    """A value as it is compared with others of its kind: without what may be written one way or another."""
    if kind == "email":
        return "".join(usual(value).text.split()).casefold()
    return _BETWEEN.sub("", usual(value).text).upper() if kind in ("iban", "us_ssn", *_CHECKED) else value
