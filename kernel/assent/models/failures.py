"""What goes wrong with a model's server, each as one sentence that says what to do; never with a key in it."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from assent.core.cut import fore
from assent.core.errors import ModelError
from assent.core.secrets import HIDDEN, hide
from assent.models.endpoints import Endpoint
from assent.models.retry_after import retry_after

_RETRYABLE = frozenset({408, 409, 425, 429, *range(500, 600)} - {501, 505})
# What vendors call a failure that stays one; an account without money is "limited" as well, with HTTP 429.
_NO_MONEY = frozenset({"insufficient_quota", "exceeded_current_quota_error", "billing_error"})
_FINAL = _NO_MONEY | {
    "invalid_request_error", "authentication_error", "permission_error", "not_found_error", "request_too_large",
    "context_length_exceeded", "invalid_prompt",
}  # fmt: skip
_NO_KEY = "API_KEY_INVALID"  # Gemini says so with HTTP 400
_UNREADABLE = "tool_use_failed"  # Groq's name for a call that the model wrote wrongly; the next try may be right
_NONE: Mapping[str, str] = MappingProxyType({})
_SECRET = re.compile(r"\b(?:(?:sk|pk|gsk|xai|key)[-_]|(?-i:AIza))[\w*.-]{6,}", re.IGNORECASE)
_LIMIT = 300  # characters of a vendor's own words


def refused(
    endpoint: Endpoint, model: str, status: int, body: bytes, headers: Mapping[str, str] = _NONE, key: str = ""
) -> ModelError:
    """The error for an answer whose status is not 200."""
    after = retry_after(headers, body)
    names = _names(_parsed(body))
    poor = not _NO_MONEY.isdisjoint(names)
    retryable = (status in _RETRYABLE or _UNREADABLE in names) and not poor and headers.get("x-should-retry") != "false"
    kind = 402 if poor else 401 if _NO_KEY in names else 0 if _UNREADABLE in names else status
    text = _sentence(endpoint, model, kind, status, _said(body, key), after)
    return ModelError(text, status=status, retryable=retryable, retry_after=after)


def reported(endpoint: Endpoint, error: object, key: str = "") -> ModelError:
    """The error for a failure that the server reports in the middle of its answer."""
    said = _said(json.dumps({"error": error}).encode(), key)
    status = _status(error)
    names = _names({"error": error})
    retryable = _UNREADABLE in names or ((status is None or status in _RETRYABLE) and _FINAL.isdisjoint(names))
    do = "run again" if retryable else "change what is asked, or choose another model"
    return ModelError(f"{endpoint.title} broke off its answer ({said}): {do}.", status=status, retryable=retryable)


def cut(endpoint: Endpoint) -> ModelError:
    """The error for an answer that ends before its end."""
    return ModelError(f"{endpoint.title} broke off in the middle of its answer: run again.", retryable=True)


def hung_up(endpoint: Endpoint) -> ModelError:
    """The error for a connection that is closed before an answer begins."""
    return ModelError(f"{endpoint.title} closed the connection without an answer: run again.", retryable=True)


def garbled(endpoint: Endpoint, what: str) -> ModelError:
    """The error for an answer that cannot be read; `what` is wrong with it."""
    return ModelError(f"{endpoint.title} broke off its answer or garbled it ({what}): run again.", retryable=True)


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


def unreachable(endpoint: Endpoint, url: str, reason: str, *, passes: bool = True) -> ModelError:
    """The error for a server that cannot be connected to; `passes` where that may change by itself."""
    do = "start it, or choose another model" if endpoint.own_machine or not endpoint.base_url else "check the network"
    return ModelError(f"{endpoint.title} could not be reached at {url} ({reason}): {do}.", retryable=passes)


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


def _sentence(endpoint: Endpoint, model: str, kind: int, status: int, said: str, after: float | None) -> str:
    title, because = endpoint.title, f": {said}" if said else ""
    if kind == 0:
        return f"{title} could not read the call that {model!r} wrote (HTTP {status}{because}): run again."
    if kind == 402:
        return f"{title} asks for payment (HTTP {status}{because}): add credit to the account, or choose another model."
    if kind == 401:
        return f"{title} refused the key (HTTP {status}): put a valid one in {_keys(endpoint)}."
    if status == 403:
        return f"{title} does not allow this (HTTP 403{because}): check what the key in {_keys(endpoint)} may use."
    if status == 404:
        return f"{title} has no model {model!r} (HTTP 404{because}): choose another, or check the base URL."
    if status == 413:
        return f"{title} finds the conversation too long (HTTP 413{because}): start a new run or show less data."
    if status == 429:
        wait = "later" if after is None else f"in {after:.0f} s"
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


def _names(value: object) -> set[str]:
    """What a vendor calls its error; each has another field for that."""
    error = value.get("error", value) if isinstance(value, dict) else None
    fields = error if isinstance(error, dict) else {}
    details = fields["details"] if isinstance(fields.get("details"), list) else []
    given = [fields.get(key) for key in ("code", "type", "status")]
    given += [detail.get("reason") for detail in details if isinstance(detail, dict)]
    return {name for name in given if isinstance(name, str)}


def _parsed(body: bytes) -> Any:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value[0] if isinstance(value, list) and value else value  # a list from Gemini, now and then


def _said(body: bytes, key: str) -> str:
    """The vendor's own words, if it sent JSON: one line, cut through nothing masked, without anything like a key."""
    if (value := _parsed(body)) is None:
        return ""
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(name):
            value = value[name]
    text = " ".join(str(value).split())
    text = hide(text.replace(key, HIDDEN) if key else text)
    text = _SECRET.sub(HIDDEN, text)
    return text[: fore(text, _LIMIT)].rstrip(".")
