"""International bank account numbers: how long each country's are, and their check digits."""

import re
from collections.abc import Iterator

# The registry of ISO 13616 (SWIFT), and the countries that use the form without being in it.
LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "AO CV GW LY MZ PT ST", 26: "DZ IR IS TR",
        27: "BF BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD",
        28: "AL AZ BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG", 29: "BR EG PS QA UA", 30: "JO KW MU YE",
        31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_GAP = r"(?: {1,2}| ?[-./_+] ?|-? ?\r?\n {0,8})"
_BEGIN = re.compile(rf"(?<![0-9A-Za-z])[A-Za-z]{{2}}{_GAP}?[0-9]{_GAP}?[0-9](?:{_GAP}?[A-Za-z0-9]){{11,30}}")
_SIGN = re.compile(r"[A-Za-z0-9]")
_FEWEST = 8  # digits where there are gaps: else two words and some more of them may look like one


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Numbers of the length that their country's have, in groups or not, whose check digits hold."""
    at = 0
    while found := _BEGIN.search(text, at):
        at = found.start() + 1
        if end := _end(found):
            yield found.start(), end
            at = end


def _end(found: re.Match[str]) -> int:
    """Where the number ends that begins there; 0 where none does."""
    signs = list(_SIGN.finditer(found[0]))
    length = LENGTHS.get((signs[0][0] + signs[1][0]).upper(), 0)
    if not length or len(signs) < length:
        return 0
    last = signs[length - 1].end()
    number, end = "".join([sign[0] for sign in signs[:length]]), found.start() + last
    if _SIGN.match(found.string, end) or found[0].count("\n", 0, last) > 1 or not holds(number):
        return 0
    return 0 if last > length and sum(map(str.isdigit, number)) < _FEWEST else end


def holds(number: str) -> bool:
    """ISO 13616: the first four signs to the end, letters as numbers from 10 on, the rest by 97 is 1 (ISO 7064)."""
    turned = number[4:] + number[:4]
    return int("".join([str(int(sign, 36)) for sign in turned])) % 97 == 1
