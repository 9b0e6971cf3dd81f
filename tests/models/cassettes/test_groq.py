"""What Groq really sent and was sent. Reads recordings in ../shared, which are not part of the repository."""

import pytest
from tests.support.recorded_chat import check, matters, replay
from tests.support.vendors import vendor

pytestmark = pytest.mark.shared

GROQ = vendor("groq")


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("test_tool_choice_matrix.test_tool_choice_matrix.auto-groq.", [1, 0]),
        ("test_tool_choice_matrix.test_tool_choice_matrix.required-groq.", [1]),
    ],
)
def test_a_recorded_run_replays(name: str, calls: list[int]) -> None:
    answers = [check(done) for done in replay(name, GROQ)]
    assert [len(answer.message.calls) for answer in answers] == calls


def test_thinking_between_tags_or_apart_is_no_text() -> None:
    raw, parsed = replay("test_groq.test_groq_model_thinking_part", GROQ)
    assert parsed.sent["reasoning_format"] == parsed.exchange.sent["reasoning_format"] == "parsed"
    assert check(raw).message.text.startswith("\n\nTo make Uruguayan alfajores")
    assert check(parsed).message.reasoning.startswith("Alright")


def test_a_call_that_groq_could_not_read_may_be_asked_for_again() -> None:
    failed, again, last = replay("test_groq.test_tool_use_failed_error", GROQ)
    assert failed.error is not None
    assert (failed.error.status, failed.error.retryable) == (400, True)
    assert "did not match schema" in str(failed.error)
    assert [call.name for call in check(again).message.calls] == ["get_something_by_name"]
    assert check(last).usage.cached == 256


def test_a_model_that_groq_does_not_have() -> None:
    (done,) = replay("test_groq.test_tool_regular_error", GROQ)
    assert done.error is not None
    assert matters(done.sent) == matters(done.exchange.sent)
    assert (done.error.status, done.error.retryable) == (404, False)
    assert "Groq has no model 'non-existent'" in str(done.error)
