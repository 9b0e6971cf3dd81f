"""What Ollama really sent and was sent. Reads recordings in ../shared, which are not part of the repository."""

import pytest
from tests.support.recorded_chat import check, replay
from tests.support.vendors import vendor

pytestmark = pytest.mark.shared


def test_a_recorded_run_replays_and_its_thinking_goes_back() -> None:
    first, second = replay("test_ollama.test_ollama_cloud_tool_output", vendor("ollama"))
    told = check(first)
    assert (told.message.text, told.stop) == ("Paris.", "stop")
    assert second.sent["messages"][1]["reasoning"] == told.message.reasoning != ""
    assert [call.arguments for call in check(second).message.calls] == ['{"city":"Paris","country":"France"}']
