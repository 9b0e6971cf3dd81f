"""Which models a server on this machine or network has: quickly asked, and not at every step anew."""

import json
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from assent.core.errors import NoModel
from assent.core.secrets import alone, hide
from assent.models.keys import Access

PROBE = 0.5  # seconds that a server gets to say that it is there
FRESH = 30.0  # seconds that its answer holds where `lately` will do
SILENT = 5.0  # the same for no answer: somebody may be starting it

_answers: dict[Access, tuple[float, list[str] | NoModel]] = {}


def served(access: Access) -> list[str]:
    """The chat models that a server lists, at least one; `NoModel` where it is silent, refuses or has none."""
    names: list[str] = []
    try:
        names = [name for item in _get(access)["data"] if "embed" not in (name := hide(str(item["id"])))]
        problem = f"The server at {access.place} has no model yet: pull or load one."
    except (OSError, HTTPException):
        problem = f"No model server answers at {access.place}: start it, or correct its address."
    except (ValueError, LookupError, TypeError):
        problem = f"The server at {access.place} does not list its models: name one, as provider:model."
    if not names:  # raised here, it knows nothing of an error that may hold the key
        raise NoModel(problem)
    return names


def lately(access: Access) -> list[str]:
    """`served`, as of the last half minute: whoever starts runs must not wait for a server each time."""
    known = _answers.get(access)
    if known is None or time.monotonic() > known[0]:
        known = _answers[access] = _asked(access)
    if isinstance(known[1], NoModel):
        raise NoModel(*known[1].args)
    return known[1]


def _asked(access: Access) -> tuple[float, list[str] | NoModel]:
    try:
        names = served(access)
        return time.monotonic() + FRESH, names
    except NoModel as error:
        return time.monotonic() + SILENT, alone(error)


def _get(access: Access) -> Any:
    parts = urlsplit(f"{access.base_url.rstrip('/')}/models")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PROBE)
    try:
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {access.key}"} if access.key else {})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
