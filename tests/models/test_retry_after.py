"""When to ask again, in every way that vendors write it."""

import json
from datetime import UTC, datetime

import pytest

from assent.models.retry_after import retry_after

NOW = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC).timestamp()
USED_UP = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "120"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Sat, 21 Nov 2026 10:01:30 GMT"}, 90),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({**USED_UP, "x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset-tokens": "1h"}, 360),
        ({**USED_UP, "x-ratelimit-reset-requests": "7.66s"}, 7.66),
        ({**USED_UP, "x-ratelimit-reset-requests": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "1h"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{(NOW + 30) * 1000:.0f}"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 30:.0f}"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, 12),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-21T10:00:05Z",
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-21T10:00:45Z",
            },
            45,
        ),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, clock=lambda: NOW) == (None if seconds is None else pytest.approx(seconds))


def test_geminis_word_in_the_body() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.Help"}, {"retryDelay": "36.5s"}]
    error = {"error": {"code": 429, "details": details}}
    assert retry_after({}, json.dumps(error).encode()) == 36.5
    assert retry_after({}, json.dumps([error]).encode()) == 36.5
    assert retry_after({"retry-after": "2"}, json.dumps(error).encode()) == 2


@pytest.mark.parametrize("absurd", ["1e300", "9" * 400 + "h", "1e18", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_server_asks_for_more_than_a_year(absurd: str) -> None:
    assert retry_after({"retry-after": absurd}) == 366 * 86400


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error": "no"}', b'{"error": {"details": [7]}}', b"[" * 9999]
)
def test_a_body_that_says_nothing_of_it(body: bytes) -> None:
    assert retry_after({}, body) is None
