"""The OpenAI chat format: what a request is made of."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from assent.core import messages
from assent.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Request, ToolSpec
from assent.models import endpoints
from assent.models.wires.chat import encode_message, encode_request, encode_tools

OPENAI, DEEPSEEK = endpoints.ENDPOINTS[0], endpoints.find("deepseek")
SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})


def test_a_message_is_encoded_once() -> None:
    message = messages.user("Hello")
    body = encode_request(Request([message]), "m", OPENAI, b"")
    assert message.encoded["openai"] in body
    message.encoded["openai"] = b'{"role":"user","content":"kept"}'
    assert b"kept" in encode_request(Request([message]), "m", OPENAI, b"")


def test_an_image_goes_as_a_data_url() -> None:
    message = messages.user("What is it?", Image("image/png", "ab12", b"\x89PNG"))
    image, words = json.loads(encode_message(message, OPENAI))["content"]
    assert image == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    assert words == {"type": "text", "text": "What is it?"}


def test_thinking_goes_back_to_the_vendor_that_wants_it() -> None:
    message = messages.assistant(
        Reasoning("Hm."), ToolCall("a", "sql", "{}", {"openai": {"extra_content": {"sign": 1}}})
    )
    plain, wanted = json.loads(encode_message(message, OPENAI)), json.loads(encode_message(message, DEEPSEEK))
    assert "reasoning_content" not in plain
    assert wanted["reasoning_content"] == "Hm."
    assert "extra_content" not in wanted["tool_calls"][0]
    assert plain["tool_calls"][0]["extra_content"] == {"sign": 1}


def test_arguments_that_are_no_object_are_wrapped() -> None:
    message = messages.assistant(ToolCall("a", "sql", '{"query": "SEL'))
    (call,) = json.loads(encode_message(message, OPENAI))["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"invalid": '{"query": "SEL'}


TEXTS = st.text(st.characters(), max_size=20)
PARTS = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Reasoning, TEXTS),
    st.builds(ToolCall, TEXTS, TEXTS, TEXTS),
    st.builds(ToolResult, TEXTS, TEXTS, TEXTS, st.booleans()),
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool"])
CONVERSATIONS = st.lists(
    st.builds(Message, ROLES, st.lists(PARTS, max_size=4).map(tuple)).filter(
        lambda message: message.role != "tool" or any(isinstance(part, ToolResult) for part in message.parts)
    ),
    max_size=5,
)


@settings(deadline=None)
@given(CONVERSATIONS)
def test_any_conversation_encodes_to_valid_json(conversation: list[Message]) -> None:
    for endpoint in [row for row in endpoints.ENDPOINTS if row.wire == "chat"]:
        body = json.loads(encode_request(Request(conversation, [SQL]), "m", endpoint, encode_tools([SQL])))
        assert all(message["role"] in ("system", "user", "assistant", "tool") for message in body["messages"])
        assert len(body["messages"]) >= len(conversation)
