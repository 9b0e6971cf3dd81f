"""What OpenAI's chat completions, and Gemini's behind the same format, really sent and were sent.

Reads recordings in ../shared, which are not part of the repository.
"""

import pytest
from tests.support.recorded_chat import check, replay
from tests.support.vendors import vendor

pytestmark = pytest.mark.shared

OPENAI = vendor("openai")


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("test_openai.test_openai_native_output", [1, 0]),
        ("test_openai.test_multiple_agent_tool_calls", [1, 0]),
        ("test_openai.test_run_stream_sync_streams_real_model", [1, 0]),
        ("test_tool_choice_matrix.test_tool_choice_matrix.auto-openai.", [1, 0]),
        ("test_tool_choice_matrix.test_tool_choice_matrix.required-openai.", [1]),
    ],
)
def test_a_recorded_run_replays(name: str, calls: list[int]) -> None:
    answers = [check(done) for done in replay(name, OPENAI, "api.openai.com")]
    assert [len(answer.message.calls) for answer in answers] == calls


def test_calls_without_an_id_get_one_and_keep_it() -> None:
    first, second = replay("test_openai.test_compatible_api_with_tool_calls_without_id", OPENAI)
    asked = check(first)
    assert [call.id for call in asked.message.calls] == ["call_1_0"]
    assert second.answer is not None
    assert second.answer.stop == "stop"
