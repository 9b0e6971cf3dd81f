"""Which models a server on this machine or network has: quickly asked, and not at every step anew."""

import json
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from assent.core.errors import NoModel

PROBE = 0.5  # seconds that a server gets to say that it is there
FRESH = 30.0  # seconds that its answer holds where `lately` will do
SILENT = 5.0  # the same for no answer: somebody may be starting it

_answers: dict[tuple[str, str], tuple[float, list[str] | NoModel]] = {}


def served(base_url: str, key: str = "") -> list[str]:
    """The chat models that a server lists, at least one; `NoModel` where it is silent, refuses or has none."""
    place = base_url.rpartition("@")[2]
    try:
        listed = _get(f"{base_url.rstrip('/')}/models", key)
        names = [name for item in listed["data"] if "embed" not in (name := str(item["id"]))]
    except (OSError, HTTPException):
        raise NoModel(f"No model server answers at {place}: start it, or correct its address.") from None
    except (ValueError, LookupError, TypeError):
        raise NoModel(f"The server at {place} does not list its models: name one, as provider:model.") from None
    if not names:
        raise NoModel(f"The server at {place} has no model yet: pull or load one.")
    return names


def lately(base_url: str, key: str = "") -> list[str]:
    """`served`, as of the last half minute: whoever starts runs must not wait for a server each time."""
    known = _answers.get((base_url, key))
    if known is None or time.monotonic() > known[0]:
        known = _answers[base_url, key] = _asked(base_url, key)
    if isinstance(known[1], NoModel):
        raise NoModel(*known[1].args)
    return known[1]


def _asked(base_url: str, key: str) -> tuple[float, list[str] | NoModel]:
    try:
        names = served(base_url, key)
        return time.monotonic() + FRESH, names
    except NoModel as error:
        return time.monotonic() + SILENT, error.with_traceback(None)


def _get(url: str, key: str) -> Any:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PROBE)
    try:
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {key}"} if key else {})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
