"""What is worth another attempt, and what the sentences say."""

import json
from typing import Any

import pytest

from assent.core.cut import Whole, unparted
from assent.models import failures
from assent.models.endpoints import ENDPOINTS

OPENAI = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "openai")


def body(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "again"),
    [(408, True), (409, True), (429, True), (500, True), (503, True), (529, True), (400, False), (501, False)],
)
def test_which_statuses_may_pass(status: int, again: bool) -> None:
    assert failures.refused(OPENAI, "m", status, b"").retryable is again


def test_a_vendors_words_are_cut_through_nothing_that_masks_would_find() -> None:
    card = "4111 1111 1111 1111"
    whole = Whole(
        lambda text: [(text.index(card), text.index(card) + len(card))] if card in text else [], lambda *_: ()
    )
    for error in (
        lambda words: failures.refused(OPENAI, "m", 400, body(message=words)),
        lambda words: failures.reported(OPENAI, {"message": words}),
    ):
        words = f"{'x' * 290} {card} {'y' * 50}"
        with unparted(whole):
            assert f" {card})" in str(error(words)).replace(":", ")")
        assert f" {card[:9]})" in str(error(words)).replace(":", ")")


@pytest.mark.parametrize("named", [{"code": "insufficient_quota"}, {"type": "exceeded_current_quota_error"}])
def test_an_account_without_money_is_not_asked_again(named: dict[str, str]) -> None:
    error = failures.refused(OPENAI, "m", 429, body(message="You exceeded your quota.", **named))
    assert not error.retryable
    assert error.status == 429
    assert "asks for payment (HTTP 429: You exceeded your quota): add credit" in str(error)


def test_how_long_a_limit_lasts_is_a_value_and_said() -> None:
    error = failures.refused(OPENAI, "m", 429, b"", {"retry-after": "20"})
    assert error.retry_after == 20
    assert "run again in 20 s" in str(error)
    assert "run again later" in str(failures.refused(OPENAI, "m", 429, b""))


def test_a_server_that_says_not_to_ask_again_is_believed() -> None:
    assert not failures.refused(OPENAI, "m", 500, b"", {"x-should-retry": "false"}).retryable
    assert failures.refused(OPENAI, "m", 500, b"", {"x-should-retry": "true"}).retryable


@pytest.mark.parametrize(
    ("error", "again"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, True),
        ({"code": "server_error", "message": "Oops"}, True),
        ({"type": "invalid_request_error", "message": "No"}, False),
        ({"code": "context_length_exceeded", "message": "Long"}, False),
        ({"code": 400, "message": "No"}, False),
        ("plain words", True),
    ],
)
def test_failures_in_the_middle_of_an_answer(error: object, again: bool) -> None:
    reported = failures.reported(OPENAI, error)
    assert reported.retryable is again
    assert ("run again" in str(reported)) is again


def test_an_error_that_is_endlessly_deep_costs_no_sentence() -> None:
    assert "(HTTP 500)" in str(failures.refused(OPENAI, "m", 500, b"[" * 50_000))


def test_a_server_that_is_not_trusted_is_not_asked_again() -> None:
    assert failures.unreachable(OPENAI, "https://here", "connection refused").retryable
    assert not failures.unreachable(OPENAI, "https://here", "its certificate is not trusted", passes=False).retryable


def test_gemini_calls_a_wrong_key_a_bad_request() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    refusal = body(code=400, message="API key not valid.", status="INVALID_ARGUMENT", details=details)
    (gemini,) = [endpoint for endpoint in ENDPOINTS if endpoint.name == "gemini"]
    said = failures.refused(gemini, "m", 400, refusal)
    assert "Google Gemini refused the key (HTTP 400): put a valid one in GEMINI_API_KEY" in str(said)
    assert not said.retryable
