"""Ids of tool calls that came from one vendor, made acceptable to another."""

import re
from hashlib import sha256

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LENGTH = 9  # what Mistral wants, and short enough for everybody


def fitting(call: str, pattern: str) -> str:
    """The id itself where it matches `pattern` ("" is any), else always the same nine letters and digits in its place.

    A call and its result name the same id, so both become the same other one.
    """
    if not pattern or re.fullmatch(pattern, call):
        return call
    number = int.from_bytes(sha256(call.encode("utf-8", "surrogatepass")).digest()[:8])
    return "".join([_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(_LENGTH)])
