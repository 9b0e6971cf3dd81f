"""The OpenAI chat format: what a request is made of."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.vendors import vendor

from assent.core import messages
from assent.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Request, ToolSpec
from assent.models import endpoints
from assent.models.endpoints import Endpoint
from assent.models.wires.call_ids import fitting
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


def body(name: str, *conversation: Message, model: str = "m", tools: Sequence[ToolSpec] = (), **fields: Any) -> Any:
    request = Request(list(conversation) or [messages.user("Hello")], tools, **fields)
    return json.loads(encode_request(request, model, vendor(name), encode_tools(tools) if tools else b""))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("openai", "max_completion_tokens"),
        ("groq", "max_completion_tokens"),
        ("deepseek", "max_tokens"),
        ("openrouter", "max_tokens"),
        ("mistral", "max_tokens"),
        ("ollama", "max_tokens"),
    ],
)
def test_what_bounds_the_answer(name: str, field: str) -> None:
    assert body(name, max_tokens=7)[field] == 7


def test_mistral_is_sent_nothing_that_it_does_not_know() -> None:
    sent = body("mistral", tools=[SQL], max_tokens=7, temperature=0.1)
    assert set(sent) == {"model", "stream", "messages", "tools", "max_tokens", "temperature"}
    assert body("openai")["stream_options"] == {"include_usage": True}


def test_mistral_speaks_between_a_tool_and_a_user() -> None:
    results = messages.results([ToolResult("abcdefgh1", "sql", "1")])
    talk = [messages.assistant(ToolCall("abcdefgh1", "sql", "{}")), results, messages.user("And now?")]
    assert [one["role"] for one in body("mistral", *talk)["messages"]] == ["assistant", "tool", "assistant", "user"]
    assert [one["role"] for one in body("mistral", *talk[:2])["messages"]] == ["assistant", "tool"]
    assert [one["role"] for one in body("openai", *talk)["messages"]] == ["assistant", "tool", "user"]


def test_openrouter_is_asked_for_what_it_charges() -> None:
    assert body("openrouter")["usage"] == {"include": True}


def test_openrouter_is_asked_to_cache_what_it_would_not_by_itself() -> None:
    assert body("openrouter", model="anthropic/claude-sonnet-5")["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in body("openrouter", model="openai/gpt-5-mini")
    assert "cache_control" not in body("openai", model="anthropic/claude-sonnet-5")


@pytest.mark.parametrize("choice", ["none", "required", "sql"])
@pytest.mark.parametrize("name", ["openai", "groq", "openrouter", "mistral", "xai", "ollama", "deepseek"])
def test_the_choice_of_a_tool(name: str, choice: str) -> None:
    named = {"type": "function", "function": {"name": "sql"}}
    assert body(name, tools=[SQL], tool_choice=choice)["tool_choice"] == (named if choice == "sql" else choice)
    assert "tool_choice" not in body(name, tool_choice=choice)


def test_a_call_is_demanded_of_deepseek_while_it_does_not_think_and_of_kimi_not_at_all() -> None:
    assert body("deepseek", tools=[SQL], tool_choice="required", effort="high")["thinking"] == {"type": "disabled"}
    assert "thinking" not in body("deepseek", tools=[SQL], tool_choice="none")
    assert body("moonshot", tools=[SQL], tool_choice="required")["tool_choice"] == "auto"


@pytest.mark.parametrize("name", ["deepseek", "moonshot"])
def test_calls_that_another_vendor_thought_of_in_secret_come_with_some_thinking(name: str) -> None:
    call = ToolCall("toolu_1", "sql", "{}")
    asked, called, told = body(
        name,
        messages.user("Hello"),
        messages.assistant(Reasoning("", {"anthropic": {}}), call),
        messages.assistant(Text("Yes.")),
    )["messages"]
    assert called["reasoning_content"] == " "
    assert "reasoning_content" not in told
    assert "reasoning_content" not in asked


def test_ids_that_a_vendor_refuses_become_others_the_same_for_call_and_result() -> None:
    for old in ("toolu_01A09q90qw90lq917835lq9", "call_1_0", "123456789x"):
        turn = messages.assistant(ToolCall(old, "sql", "{}")), messages.results([ToolResult(old, "sql", "1")])
        called, told = body("mistral", *turn)["messages"]
        assert called["tool_calls"][0]["id"] == told["tool_call_id"]
        assert re.fullmatch("[a-zA-Z0-9]{9}", told["tool_call_id"])
        assert body("groq", *turn)["messages"][1]["tool_call_id"] == old
    assert fitting("D681PevKs", vendor("mistral").ids) == "D681PevKs"
    long = "chatcmpl-tool-" + "f" * 32
    assert len(fitting(long, vendor("openai").ids)) == 9
    assert fitting(long, endpoints.CUSTOM.ids) == long


@given(st.sets(st.text(max_size=50), min_size=2, max_size=30))
def test_ids_stay_apart(ids: set[str]) -> None:
    assert len({fitting(one, "[a-zA-Z0-9]{9}") for one in ids}) == len(ids)


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
        told = [one for one in conversation if one.role in ("user", "tool") or one.text or one.calls]
        assert len(body["messages"]) >= len(told)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
OBJECTS = st.dictionaries(WORDS, st.integers()).map(json.dumps)
IDS = st.text("abcXYZ0189_-", min_size=1, max_size=60)
TURNS = st.one_of(
    st.builds(messages.user, WORDS),
    st.builds(messages.system, WORDS),
    st.lists(
        st.one_of(
            st.builds(Text, WORDS),
            st.builds(Reasoning, WORDS),
            st.builds(ToolCall, IDS, st.sampled_from(["sql", "A-1_"]), OBJECTS),
        ),
        max_size=4,
    ).map(lambda parts: messages.assistant(*parts)),
    st.lists(st.builds(ToolResult, IDS, WORDS, WORDS), min_size=1, max_size=3).map(messages.results),
)


def arrived(sent: dict[str, Any], field: str) -> tuple[Any, ...]:
    calls = [
        (call["function"]["name"], json.loads(call["function"]["arguments"])) for call in sent.get("tool_calls", ())
    ]
    return sent["role"], sent["content"] or "", calls, sent.get(field, "").strip() if field else ""


def heart(message: Message, field: str) -> list[tuple[Any, ...]]:
    if message.role == "tool":
        return [("tool", part.text, [], "") for part in message.parts if isinstance(part, ToolResult)]
    calls = [(call.name, json.loads(call.arguments)) for call in message.calls]
    if message.role != "user" and not (message.text or calls):
        return []
    return [(message.role, message.text, calls, message.reasoning.strip() if field else "")]


@settings(deadline=None)
@given(
    st.lists(TURNS, min_size=1, max_size=6), st.sampled_from([row for row in endpoints.ENDPOINTS if row.wire == "chat"])
)
def test_any_conversation_arrives(conversation: list[Message], endpoint: Endpoint) -> None:
    sent = [one for message in conversation for one in json.loads(b"[" + encode_message(message, endpoint) + b"]")]
    expected = [one for message in conversation for one in heart(message, endpoint.reasoning)]
    assert [arrived(one, endpoint.reasoning) for one in sent] == expected
    ids = [call["id"] for one in sent for call in one.get("tool_calls", ())]
    ids += [one["tool_call_id"] for one in sent if one["role"] == "tool"]
    old = [call.id for message in conversation for call in message.calls]
    old += [part.id for message in conversation for part in message.parts if isinstance(part, ToolResult)]
    assert len(set(zip(old, ids, strict=True))) == len(set(old)) == len(set(ids))
    assert all(re.fullmatch(endpoint.ids or ".*", one) for one in ids)
