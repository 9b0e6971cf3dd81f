"""What goes wrong with a model's server, each as one sentence that says what to do; never with a key in it."""

import json
import re

from assent.core.errors import ModelError
from assent.models.endpoints import Endpoint

_RETRYABLE = frozenset({408, 409, 425, 429, *range(500, 600)})
_SECRET = re.compile(r"\b(?:sk|pk|gsk|xai|key)[-_][\w*.-]{6,}", re.IGNORECASE)
_LIMIT = 300  # characters of a vendor's own words


def refused(
    endpoint: Endpoint, model: str, status: int, body: bytes, retry_after: str = "", key: str = ""
) -> ModelError:
    """The error for an answer whose status is not 200."""
    said = _said(body, key)
    return ModelError(
        _sentence(endpoint, model, status, said, retry_after), status=status, retryable=status in _RETRYABLE
    )


def reported(endpoint: Endpoint, error: object, key: str = "") -> ModelError:
    """The error for a failure that the server reports in the middle of its answer."""
    said = _said(json.dumps({"error": error}).encode(), key)
    status = _status(error)
    retryable = status is None or status in _RETRYABLE
    return ModelError(f"{endpoint.title} broke off its answer: {said}. Run again.", status=status, retryable=retryable)


def cut(endpoint: Endpoint) -> ModelError:
    """The error for an answer that ends before its end."""
    return ModelError(
        f"The connection to {endpoint.title} broke off in the middle of the answer: run again.", retryable=True
    )


def hung_up(endpoint: Endpoint) -> ModelError:
    """The error for a connection that is closed before an answer begins."""
    return ModelError(f"{endpoint.title} closed the connection without an answer: run again.", retryable=True)


def garbled(endpoint: Endpoint, what: str) -> ModelError:
    """The error for an answer that cannot be read; `what` is wrong with it."""
    return ModelError(f"The answer of {endpoint.title} broke off or was garbled ({what}): run again.", retryable=True)


def empty(endpoint: Endpoint, url: str) -> ModelError:
    """The error for an answer that is whole and in which there is nothing."""
    return ModelError(
        f"{endpoint.title} sent an answer without anything in it: run again, choose another model, "
        f"or check the base URL {url}.",
        retryable=True,
    )


def too_large(endpoint: Endpoint, limit: int) -> ModelError:
    """The error for an answer of more than `limit` bytes."""
    return ModelError(
        f"{endpoint.title} sent an answer of more than {limit / 1e6:.0f} MB: ask for less, or choose another model."
    )


def no_answer(endpoint: Endpoint, url: str) -> ModelError:
    """The error for a web page, or anything else that is no model's answer."""
    return ModelError(
        f"{endpoint.title} answered with something other than a model's answer at {url}: "
        "check the base URL (most end in /v1)."
    )


def unreachable(endpoint: Endpoint, url: str, reason: str) -> ModelError:
    """The error for a server that cannot be connected to."""
    do = "start it, or choose another model" if endpoint.own_machine or not endpoint.base_url else "check the network"
    return ModelError(f"{endpoint.title} could not be reached at {url} ({reason}): {do}.", retryable=True)


def silent(endpoint: Endpoint, seconds: float) -> ModelError:
    """The error for a server that stops sending."""
    return ModelError(f"{endpoint.title} sent nothing for {seconds:g} seconds: run again.", retryable=True)


def stalled(endpoint: Endpoint, seconds: float) -> ModelError:
    """The error for a server that keeps the connection alive, and sends nothing more of its answer."""
    return ModelError(
        f"{endpoint.title} sent signs of life only, nothing of its answer, for {seconds:g} seconds: run again.",
        retryable=True,
    )


def bad_key(endpoint: Endpoint) -> ModelError:
    """The error for a key that cannot be sent."""
    return ModelError(f"The key in {_keys(endpoint)} holds characters that no key has: copy it again.", status=401)


def _sentence(endpoint: Endpoint, model: str, status: int, said: str, retry_after: str) -> str:
    title, because = endpoint.title, f": {said}" if said else ""
    if status == 401:
        return f"{title} refused the key (HTTP 401): put a valid one in {_keys(endpoint)}."
    if status == 402:
        return f"{title} asks for payment (HTTP 402{because}): add credit to the account, or choose another model."
    if status == 403:
        return f"{title} does not allow this (HTTP 403{because}): check what the key in {_keys(endpoint)} may use."
    if status == 404:
        return f"{title} has no model {model!r} (HTTP 404{because}): choose another, or check the base URL."
    if status == 413:
        return f"{title} finds the conversation too long (HTTP 413{because}): start a new run or show less data."
    if status == 429:
        wait = f"in {retry_after} s" if retry_after.isdigit() else "later"
        return f"{title} is limiting requests (HTTP 429{because}): run again {wait}, or check the account's quota."
    if status >= 500:
        return f"{title} has a fault of its own (HTTP {status}{because}): run again later, or choose another model."
    if 300 <= status < 400:
        return f"{title} redirects elsewhere (HTTP {status}): correct the base URL."
    return f"{title} rejected the request (HTTP {status}{because}): correct it, or choose another model."


def _keys(endpoint: Endpoint) -> str:
    return " or ".join(endpoint.keys) or "its settings"


def _status(error: object) -> int | None:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 100 <= code < 600 else None


def _said(body: bytes, key: str) -> str:
    """The vendor's own words, if it sent JSON: one line, cut, without anything like a key."""
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(name):
            value = value[name]
    text = " ".join(str(value).split())
    if key:
        text = text.replace(key, "[key]")
    return _SECRET.sub("[key]", text)[:_LIMIT].rstrip(".")
