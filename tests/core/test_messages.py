"""Messages survive the journal unchanged."""

import json

from hypothesis import given
from hypothesis import strategies as st

from assent.core import messages
from assent.core.messages import Message, Part, Reasoning, Text, ToolCall, ToolResult

WORDS = st.text()
EXTRA = st.none() | st.dictionaries(WORDS, st.none() | st.integers() | WORDS, max_size=3)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, WORDS),
    st.builds(Reasoning, WORDS, EXTRA),
    st.builds(ToolCall, WORDS, WORDS, WORDS, EXTRA),
    st.builds(ToolResult, WORDS, WORDS, WORDS, st.booleans()),
)
MESSAGES = st.builds(
    Message, st.sampled_from(["system", "user", "assistant", "tool"]), st.lists(PARTS, max_size=5).map(tuple)
)


@given(MESSAGES)
def test_a_message_comes_back_from_json_as_it_was(message: Message) -> None:
    assert messages.from_json(json.loads(json.dumps(messages.to_json(message)))) == message


def test_the_bytes_that_a_format_keeps_are_no_part_of_the_message() -> None:
    message = messages.user("Hello")
    message.encoded["chat"] = b"{}"
    assert message == messages.user("Hello")
    assert "encoded" not in messages.to_json(message)


def test_text_reasoning_and_calls_are_told_apart() -> None:
    call = ToolCall("1", "sql", "{}")
    message = messages.assistant(Text("a"), Reasoning("r"), call, Text("b"))
    assert (message.text, message.reasoning, message.calls) == ("ab", "r", [call])
