"""When a server that refuses a request wants to be asked again."""

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_LONGEST = 366 * 86400.0  # seconds; who asks for more, or for ever, is understood to mean this
_EPOCH = 1e9  # a larger number of seconds is a time, and one a hundred times larger is in milliseconds


def retry_after(headers: Mapping[str, str], body: bytes = b"", clock: Callable[[], float] = time.time) -> float | None:
    """Seconds until a refused request may be sent again; None where the server does not say. Names are in lower case.

    `retry-after` is seconds or an HTTP date (RFC 9110), `retry-after-ms` OpenAI's on Azure. Without them counts when a
    limit that is used up is filled again: `x-ratelimit-reset-requests` and `-tokens` as "6m0s" (OpenAI, Groq),
    `x-ratelimit-reset` as seconds or a time since the epoch (OpenRouter's in milliseconds), Anthropic's
    `anthropic-ratelimit-requests-reset` and the like as RFC 3339. Gemini writes google.rpc.RetryInfo in the body.
    """
    wanted = _wanted(headers, body, clock())
    return None if wanted is None else min(wanted, _LONGEST)


def _wanted(headers: Mapping[str, str], body: bytes, now: float) -> float | None:
    if (seconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return max(seconds / 1000, 0.0)
    if (seconds := _until(headers.get("retry-after", "").strip(), now)) is not None:
        return seconds
    resets = [seconds for value in _resets(headers) if (seconds := _until(value, now)) is not None]
    return max(resets) if resets else _retry_info(body)


def _resets(headers: Mapping[str, str]) -> Iterator[str]:
    """The reset of each limit of which nothing remains."""
    for name, value in headers.items():
        lower = name.lower()
        if "ratelimit-" in lower and "remaining" in lower and _number(value) == 0:
            yield headers.get(lower.replace("remaining", "reset"), "")


def _until(text: str, now: float) -> float | None:
    """Seconds from now, however a header writes them: a number, "1m30s", a date, a time since the epoch."""
    if (number := _number(text)) is not None:
        number = number / 1000 if number > 100 * _EPOCH else number
        return max(number - now if number > _EPOCH else number, 0.0)
    if text and not _DURATION.sub("", text):
        return sum([float(amount) * _UNITS[unit] for amount, unit in _DURATION.findall(text)])
    moment = _moment(text)
    return None if moment is None else max(moment - now, 0.0)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moment(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _retry_info(body: bytes) -> float | None:
    try:
        value: Any = json.loads(body)
        error = (value[0] if isinstance(value, list) else value)["error"]
        delays = [item["retryDelay"] for item in error["details"] if "retryDelay" in item]
        return _until(delays[0], 0.0)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
