"""E-mail addresses: where they stand in a text. Each is found by its @, so no long word is gone through twice."""

import re
from collections.abc import Iterator

_LETTER = r"\w\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e"  # and the marks that Indian and Thai names, and NFD, have
_MOST = 64  # octets before the @ (RFC 5321)
_LOCAL = re.compile(rf"[{_LETTER}.!#$%&'*+=?^~-]+")  # looked for from the @ backwards
_QUOTED = re.compile(r'"[^"\n]+"')
_LABEL = rf"[{_LETTER}-]"
_DOMAIN = re.compile(
    rf"(?:\r?\n {{0,8}})?(?:(?:{_LABEL}{{1,63}}\.){{1,20}}(?=[\w-]*[^\W\d_]){_LABEL}{{2,63}}"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)|\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\])"
)
# What stands before an address in URLs, headers and code: it is none of it. Others may (bounce+ann=x.org@list.org).
_BEFORE = re.compile(
    r".*(?:[?&;][\w.-]+=|=['\"]|(?:\A|\W)(?:e?-?mail|mailto|to|cc|bcc|from|sender|recipient|user|username|login|account|"
    r"addr|address|contact|name|id|q|value)=)",
    re.IGNORECASE,
)
_STRIP = re.compile(r"[^\w]*")


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Addresses as RFC 5321 has them, also with letters beyond ASCII; a line may break behind the @."""
    at = text.find("@")
    while at >= 0:
        begin = _begin(text, at)
        if begin < at and (after := _DOMAIN.match(text, at + 1)):
            yield begin, after.end()
        at = text.find("@", at + 1)


def _begin(text: str, at: int) -> int:
    """Where the part before an @ begins; at the @ itself where there is none."""
    window = text[max(at - _MOST, 0) : at]
    if window.endswith('"') and (quoted := _QUOTED.match(window[::-1])):
        return at - len(quoted[0])
    if (found := _LOCAL.match(window[::-1])) is None:
        return at
    local = found[0][::-1]
    before = _BEFORE.match(local)
    skipped = before.end() if before else 0
    lead = _STRIP.match(local, skipped)
    return at - len(local) + (lead.end() if lead else skipped)
