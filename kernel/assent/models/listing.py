"""What servers say they have: all are asked at once for their lists of models, with the key of each."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from assent.core.secrets import hide
from assent.models import failures
from assent.models.endpoints import Endpoint
from assent.models.keys import Access
from assent.models.remote import WIRES

LIMIT = 2.0  # seconds for all servers together
SLOW = f"no answer within {LIMIT:g} seconds"
BODY = 8_000_000  # bytes read of a list of models
_LISTS = {"anthropic": "/v1/models?limit=1000", "gemini": "/models?pageSize=1000"}  # the others: /models
_CHECKED = frozenset({401, 402, 403})  # statuses by which a server says that it does not want this key


@dataclass(frozen=True, slots=True)
class Found:
    """What came of asking a server for its models; `names` is empty where it did not tell."""

    ready: bool
    reachable: bool | None = None
    names: tuple[str, ...] = ()
    needs: str = ""


def ask(servers: Sequence[tuple[Endpoint, Access]]) -> dict[str, Found]:
    """What each answers, by the vendor's name; after `LIMIT` seconds a thread that still waits is left behind."""
    found: dict[str, Found] = {}
    until = time.monotonic() + LIMIT
    context = httpx.create_ssl_context()

    def look(endpoint: Endpoint, access: Access) -> None:
        found[endpoint.name] = _asked(endpoint, access, context)

    threads = [threading.Thread(target=look, args=server, name="assent-models", daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    late = {endpoint.name: _unreached(endpoint, access, SLOW) for endpoint, access in servers}
    return {**late, **found}


def _asked(endpoint: Endpoint, access: Access, context: Any) -> Found:
    key = access.key
    if not key.isascii() or not key.isprintable():
        return Found(False, needs=str(failures.bad_key(endpoint)))
    try:
        url = httpx.URL(access.base_url.rstrip("/") + _LISTS.get(endpoint.wire, "/models"))
        # A name and password in the URL stand in for the key, and must not be in a URL that is logged.
        login = (url.username, url.password) if url.userinfo and not key else None
        url, headers = url.copy_with(username=None, password=None), dict(WIRES[endpoint.wire].headers(key))
        with (
            httpx.Client(verify=context, timeout=LIMIT, auth=login) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            return _read(endpoint, response.status_code, _body(response), key)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return _unreached(endpoint, access, _reason(error))


def _body(response: httpx.Response) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > BODY:
            break
    return body


def _read(endpoint: Endpoint, status: int, body: bytes, key: str) -> Found:
    if status == 200:
        return Found(True, True, _names(body))
    said = str(failures.refused(endpoint, "", status, body, key=key))
    unwanted = status in _CHECKED or (endpoint.wire == "gemini" and status == 400)
    if unwanted or status == 429 or status >= 500 or 300 <= status < 400:
        return Found(False, True, needs=said)
    return Found(True, True)  # it is there, and keeps no list


def _names(body: bytes) -> tuple[str, ...]:
    try:
        value = json.loads(body)
        listed = value["data"] if "data" in value else value["models"]
        return tuple([hide(str(item.get("id") or item["name"]).removeprefix("models/")) for item in listed])
    except (ValueError, LookupError, TypeError, AttributeError):
        return ()


def _unreached(endpoint: Endpoint, access: Access, reason: str) -> Found:
    return Found(False, False, needs=str(failures.unreachable(endpoint, access.place, reason)))


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return SLOW
    return "its certificate is not trusted" if "CERTIFICATE_VERIFY" in str(error) else "no connection"
