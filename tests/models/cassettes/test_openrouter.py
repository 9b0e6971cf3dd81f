"""What OpenRouter really sent and was sent. Reads recordings in ../shared, which are not part of the repository."""

import pytest
from tests.support.recorded_chat import check, matters, replay
from tests.support.vendors import vendor

pytestmark = pytest.mark.shared

OPENROUTER = vendor("openrouter")


def test_a_recorded_call_replays() -> None:
    (done,) = replay("test_openrouter.test_openrouter_tool_calling", OPENROUTER)
    (call,) = check(done).message.calls
    assert (call.id, call.name) == ("3sniiMddS", "divide")
    assert done.sent["usage"] == {"include": True}


def test_a_failure_in_the_middle_of_a_stream_is_one() -> None:
    (done,) = replay("test_openrouter.test_openrouter_stream_error", OPENROUTER)
    assert done.error is not None
    assert matters(done.sent) == matters(done.exchange.sent)
    assert (done.error.status, done.error.retryable) == (400, False)
    assert "Token limit reached" in str(done.error)


def test_too_many_requests_may_be_made_again() -> None:
    replayed = replay("test_openrouter.test_openrouter_errors_raised", OPENROUTER)
    assert len(replayed) == 3
    for done in replayed:
        assert done.error is not None
        assert matters(done.sent) == matters(done.exchange.sent)
        assert (done.error.status, done.error.retryable) == (429, True)
