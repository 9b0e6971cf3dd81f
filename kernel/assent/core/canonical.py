"""One way to write a value down, so that equal values have equal digests."""

import hashlib
import json
from typing import Any

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; what JSON cannot say is written as `str(value)`."""
    return _encode(value)


def digest(value: Any) -> str:
    """sha256 (hexadecimal) of a value's canonical form."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
