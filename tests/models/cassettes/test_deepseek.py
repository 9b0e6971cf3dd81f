"""What DeepSeek really sent and was sent. Reads recordings in ../shared, which are not part of the repository."""

import pytest
from tests.support.recorded_chat import check, replay
from tests.support.vendors import vendor

pytestmark = pytest.mark.shared


def test_thinking_comes_apart_from_the_text() -> None:
    (done,) = replay("test_deepseek.test_deepseek_model_thinking_part", vendor("deepseek"))
    answer = check(done)
    assert answer.message.reasoning.startswith("Okay, the user is asking")
    assert (answer.usage.output, answer.usage.reasoning) == (789, 415)
