"""A wire format as a value: how a vendor wants to be asked, and how it answers."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assent.core.messages import Message, Part
from assent.core.model import Delta, Request, ToolSpec
from assent.models.endpoints import Endpoint
from assent.models.wires.draft import Draft

_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


@dataclass(frozen=True, slots=True)
class Wire:
    """`path` is where a model is asked, below the base URL; `headers` are what a key becomes.

    `tools` makes the JSON list of the tools, once for a conversation. `encode` makes the body of a request out of it
    and of the bytes that each message keeps. `absorb` adds one JSON value of the answer, a streamed event or a whole
    unstreamed answer, to the draft and gives what is new; it may raise LookupError, TypeError, AttributeError or
    ValueError at a value of another shape, and `Broken` at a failure that the vendor reports.
    """

    path: Callable[[str], str]
    headers: Callable[[str], Mapping[str, str]]
    tools: Callable[[Sequence[ToolSpec]], bytes]
    encode: Callable[[Request, str, Endpoint, bytes], bytes]
    absorb: Callable[[Draft, Any, Endpoint], Iterable[Delta]]


class Broken(Exception):
    """The vendor reports a failure in the middle of its answer; `error` is what it says."""

    def __init__(self, error: object) -> None:
        super().__init__("the answer reports a failure")
        self.error = error


def dump(value: Any) -> bytes:
    """`value` as compact JSON."""
    return _text(value).encode("utf-8", "replace")  # half a surrogate pair is no UTF-8


def kept(message: Message, slot: str, make: Callable[[Message], bytes]) -> bytes:
    """The bytes of a message, made once and kept in `message.encoded` under `slot`."""
    if (made := message.encoded.get(slot)) is None:
        made = message.encoded[slot] = make(message)
    return made


def own(part: Part, vendor: str) -> Mapping[str, Any]:
    """What that vendor, and nobody else, gets back with a part: see `core.messages`."""
    extra: Mapping[str, Mapping[str, Any]] | None = getattr(part, "extra", None)
    return (extra or {}).get(vendor) or {}


def bearer(key: str) -> Mapping[str, str]:
    """The header that most vendors want the key in."""
    return {"authorization": f"Bearer {key}"} if key else {}


def arguments_of(text: str) -> dict[str, Any]:
    """A call's arguments as an object; what is no JSON object goes back as `{"invalid": …}`: some servers refuse it."""
    try:
        value = json.loads(text.strip() or "{}", parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"invalid": text}


def arguments_text(text: str) -> str:
    """A call's arguments to the letter where any JSON parser takes them for an object, else `arguments_of` as JSON.

    Half a surrogate pair may be written as an escape; Python reads that, most other parsers do not.
    """
    value = arguments_of(text)
    odd = "invalid" in value or "\\ud" in text or "\\uD" in text
    return dump(value).decode() if odd else text.strip() or "{}"


def _finite(text: str) -> float:
    """A number; `NaN` and the infinities, also as 1e999, could be read but not written again as JSON."""
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


def tokens(value: Any) -> int | None:
    """A number of tokens; some servers send it as a float, others send something else altogether."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
