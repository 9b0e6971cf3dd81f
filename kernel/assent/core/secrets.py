"""The keys that this process knows, and texts without them.

It guards against accidents: a server that repeats a key, a tool that prints the environment. Who means to smuggle a key
out can write it in a way that nobody recognises.
"""

import base64
import json
import re
import threading
from typing import Any, TypeVar
from urllib.parse import quote

Error = TypeVar("Error", bound=BaseException)

SHORTEST = 8  # characters of a key
_SHORT = 16  # characters; below, it may be a word that stands in for a key ("not-needed"), which answers may say too
_WORDS = re.compile(r"(?!sk-)[a-z]+([-_][a-z]+)*")
HIDDEN = "[key]"

_lock = threading.Lock()
_known: set[str] = set()
_forms: tuple[str, ...] = ()  # of all of them, the longest first


def remember(*values: str) -> None:
    """Know these keys from now on, until the process ends."""
    global _forms
    fresh = {value for value in values if _is_secret(value)} - _known
    if not fresh:
        return
    with _lock:
        _known.update(fresh)
        _forms = tuple(sorted({form for value in _known for form in _written(value)}, key=len, reverse=True))


def hide(text: str) -> str:
    """`text` with "[key]" in place of every known key: plain, in JSON, in a URL, in base64."""
    for form in _forms:
        if form in text:
            text = text.replace(form, HIDDEN)
    return text


def hide_within(value: Any) -> Any:
    """JSON values without known keys; what is no JSON counts as its text, as in the journal."""
    if not _forms or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {hide(name) if isinstance(name, str) else name: hide_within(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [hide_within(item) for item in value]
    return hide(str(value))


def alone(error: Error) -> Error:
    """`error` without what led to it: libraries keep the headers of a request, or what a server said, in theirs."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _is_secret(value: str) -> bool:
    return len(value) >= _SHORT or (len(value) >= SHORTEST and not _WORDS.fullmatch(value))


def _written(value: str) -> set[str]:
    """The ways in which a text may hold `value`."""
    plain = {value, json.dumps(value)[1:-1], repr(value)[1:-1], value.replace("/", "\\/")}
    return plain | {quote(value, safe=""), quote(value)} | _in_base64(value.encode("utf-8", "replace"))


def _in_base64(value: bytes) -> set[str]:
    """The characters that `value` alone decides, wherever it begins: Basic authentication has a name before it."""
    encoded = [base64.b64encode(bytes(before) + value).decode() for before in range(3)]
    within = [text[-(-8 * before // 6) : 8 * (before + len(value)) // 6] for before, text in enumerate(encoded)]
    return {form for text in within for form in (text, text.replace("+", "-").replace("/", "_"))}
