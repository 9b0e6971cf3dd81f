"""The Responses format: what a request is made of."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.vendors import vendor

from assent.core import messages
from assent.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import OutputSchema, Request, ToolSpec
from assent.models.wires.responses import WIRE, encode_request, encode_tools

ROW = vendor("openai-responses")
assert ROW is not None
NAME = ROW.name
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
ASKED = messages.user("Hello")


def body(*conversation: Message, model: str = "gpt-5-mini", tools: tuple[ToolSpec, ...] = (), **fields: Any) -> Any:
    request = Request(list(conversation), tools, **fields)
    return json.loads(encode_request(request, model, ROW, encode_tools(tools) if tools else b""))


def thought(text: str = "Hm.", **extra: Any) -> Reasoning:
    return Reasoning(text, {NAME: THOUGHT | extra})


def test_the_path_and_the_key() -> None:
    assert WIRE.path("gpt-5-mini") == "/responses"
    assert WIRE.headers("k-1") == {"authorization": "Bearer k-1"}


def test_the_server_keeps_nothing_and_gives_its_thoughts_away() -> None:
    assert body(ASKED) == {
        "model": "gpt-5-mini",
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "input": [{"role": "user", "content": "Hello"}],
    }


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "chatgpt-4o-latest"])
def test_a_model_that_does_not_think_is_not_asked_for_thoughts_and_given_none(model: str) -> None:
    said = messages.assistant(thought(), Text("Yes.", {NAME: {"id": "msg_1"}}))
    sent = body(ASKED, said, model=model)
    assert "include" not in sent
    assert sent["input"][1] == {"role": "assistant", "content": "Yes."}
    assert body(ASKED, said)["input"][1:] == [THOUGHT, item_of("Yes.", id="msg_1")]


def item_of(text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "status": "completed", "content": content} | fields


def test_a_system_message_first_is_the_instructions_a_later_one_an_item() -> None:
    sent = body(messages.system("Be brief."), ASKED, messages.system("Now in French."))
    assert sent["instructions"] == "Be brief."
    assert [item["role"] for item in sent["input"]] == ["user", "developer"]


def test_a_turn_with_calls_and_what_came_of_them() -> None:
    called = messages.assistant(
        thought(),
        Text("Look."),
        ToolCall("call_1", "sql", '{"query":"1"}', {NAME: {"id": "fc_1"}}),
        ToolCall("call_2", "now", ""),
    )
    sent = body(ASKED, called, messages.results([ToolResult("call_1", "sql", "1"), ToolResult("call_2", "now", "3")]))
    assert sent["input"][1:] == [
        THOUGHT,
        {"role": "assistant", "content": "Look."},
        {"type": "function_call", "call_id": "call_1", "name": "sql", "arguments": '{"query":"1"}', "id": "fc_1"},
        {"type": "function_call", "call_id": "call_2", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {"type": "function_call_output", "call_id": "call_2", "output": "3"},
    ]


def test_a_thought_without_what_it_led_to_stays_behind() -> None:
    sent = body(ASKED, messages.assistant(Text("Yes."), thought()))
    assert sent["input"][1:] == [{"role": "assistant", "content": "Yes."}]


def test_another_vendors_thoughts_stay_behind_and_so_do_ids_that_hang_on_a_lost_thought() -> None:
    foreign = Reasoning("Let me see.", {"anthropic": {"signature": "s"}})
    call = ToolCall("toolu_1", "sql", "{}", {NAME: {"id": "fc_1"}})
    expected = {"type": "function_call", "call_id": "toolu_1", "name": "sql", "arguments": "{}"}
    assert body(ASKED, messages.assistant(foreign, call))["input"][1:] == [expected]
    lost = Reasoning("Hm.", {NAME: {"type": "reasoning", "id": "rs_1", "summary": []}})
    assert body(ASKED, messages.assistant(lost, call))["input"][1:] == [expected]


def test_the_phase_of_a_message_goes_back() -> None:
    said = messages.assistant(Text("On it.", {NAME: {"id": "msg_1", "phase": "commentary"}}))
    assert body(ASKED, said)["input"][1] == {"role": "assistant", "content": "On it.", "phase": "commentary"}


def test_an_id_that_openai_refuses_becomes_another_the_same_for_call_and_result() -> None:
    long = "call_" + "x" * 90
    sent = body(
        ASKED, messages.assistant(ToolCall(long, "sql", "{}")), messages.results([ToolResult(long, "sql", "1")])
    )
    call, result = sent["input"][1:]
    assert call["call_id"] == result["call_id"] != long
    assert len(call["call_id"]) == 9


def test_a_picture_goes_as_a_data_url() -> None:
    (asked,) = body(messages.user("What is it?", Image("image/png", "ab12", b"\x89PNG")))["input"]
    assert asked["content"] == [
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw==", "detail": "auto"},
        {"type": "input_text", "text": "What is it?"},
    ]


def test_tools_are_flat_and_say_whether_they_are_strict() -> None:
    loose, held = body(ASKED, tools=(SQL, ToolSpec("weather", "Ask.", CITY)))["tools"]
    assert loose == {
        "type": "function",
        "name": "sql",
        "description": "Query.",
        "parameters": SQL.schema,
        "strict": False,
    }
    assert held["strict"]
    assert held["parameters"] == CITY | {"additionalProperties": False}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [("auto", None), ("none", "none"), ("required", "required"), ("sql", {"type": "function", "name": "sql"})],
)
def test_the_choice_of_a_tool(choice: str, sent: Any) -> None:
    assert body(ASKED, tools=(SQL,), tool_choice=choice).get("tool_choice") == sent
    assert "tool_choice" not in body(ASKED, tool_choice=choice)


def test_a_schema_for_the_answer() -> None:
    sent = body(ASKED, output=OutputSchema("place", CITY))
    schema = CITY | {"additionalProperties": False}
    assert sent["text"] == {"format": {"type": "json_schema", "name": "place", "schema": schema, "strict": True}}


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gpt-5-mini", "high", {"effort": "high", "summary": "auto"}),
        ("gpt-5-mini", "none", {"effort": "minimal", "summary": "auto"}),
        ("gpt-5.4", "none", {"effort": "none"}),
        ("o3", "none", {"effort": "low", "summary": "auto"}),
        ("gpt-4o", "high", None),
        ("gpt-5-mini", None, None),
    ],
)
def test_how_much_to_think(model: str, effort: Any, sent: Any) -> None:
    assert body(ASKED, model=model, effort=effort).get("reasoning") == sent


def test_limits_and_temperature_as_the_model_takes_them() -> None:
    thinks, talks = (body(ASKED, model=model, temperature=0.5, max_tokens=5) for model in ("gpt-5-mini", "gpt-4o"))
    assert (thinks.get("temperature"), talks["temperature"]) == (None, 0.5)
    assert thinks["max_output_tokens"] == talks["max_output_tokens"] == 16


def test_a_message_is_encoded_once_for_each_kind_of_model() -> None:
    said = messages.assistant(thought(), Text("Yes."))
    body(messages.system("Be brief."), said)
    body(messages.system("Be brief."), said, model="gpt-4o")
    assert len(said.encoded) == 2
    for slot in said.encoded:
        said.encoded[slot] = b'{"role":"assistant","content":"kept"}'
    assert body(said)["input"] == body(said, model="gpt-4o")["input"] == [{"role": "assistant", "content": "kept"}]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = st.text("abcXYZ0189_-", min_size=1, max_size=80)
OBJECTS = st.dictionaries(WORDS, st.integers()).map(json.dumps)
PARTS = st.one_of(
    st.builds(Text, WORDS.filter(bool)),
    st.builds(Reasoning, WORDS),
    WORDS.map(lambda data: thought(encrypted_content=f"g{data}")),
    st.builds(ToolCall, IDS, st.sampled_from(["sql", "A-1_", "x" * 64]), OBJECTS),
)
TURNS = st.one_of(
    WORDS.map(messages.user),
    st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: messages.assistant(*parts)),
    st.lists(st.builds(ToolResult, IDS, WORDS, WORDS), min_size=1, max_size=3).map(messages.results),
)


def heart(part: Any) -> Any:
    """What of a part must arrive."""
    if isinstance(part, Text):
        return ("text", part.text)
    if isinstance(part, ToolCall):
        return ("call", part.name, json.loads(part.arguments))
    return ("result", part.text)


def arrived(item: dict[str, Any]) -> Any:
    match item.get("type"):
        case "function_call":
            return ("call", item["name"], json.loads(item["arguments"]))
        case "function_call_output":
            return ("result", item["output"])
        case "message":
            return ("text", item["content"][0]["text"])
    return ("text", item["content"])


@settings(deadline=None)
@given(st.lists(TURNS, max_size=6))
def test_any_conversation_arrives(conversation: list[Message]) -> None:
    items = body(*conversation)["input"]
    plain = [item for item in items if item.get("type") != "reasoning"]
    parts = [part for message in conversation for part in message.parts if not isinstance(part, Reasoning)]
    assert [arrived(item) for item in plain] == [heart(part) for part in parts]
    pairs = {(part.id, item["call_id"]) for part, item in zip(parts, plain, strict=True) if "call_id" in item}
    assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
    assert all(len(new) <= 64 for _, new in pairs)


@settings(deadline=None)
@given(st.lists(TURNS, max_size=6))
def test_every_thought_that_goes_back_goes_before_what_the_same_turn_led_to(conversation: list[Message]) -> None:
    for message in conversation:
        items = body(message)["input"]
        assert not items or items[-1].get("type") != "reasoning"
        own = [part for part in message.parts if isinstance(part, Reasoning) and part.extra]
        sent = [item for item in items if item.get("type") == "reasoning"]
        assert sent == [(part.extra or {})[NAME] for part in own][: len(sent)]
