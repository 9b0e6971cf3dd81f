"""The Anthropic Messages format: what a request is made of."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.core import messages
from assent.core.messages import Image, Message, Part, Reasoning, Role, Text, ToolCall, ToolResult
from assent.core.model import OutputSchema, Request, ToolSpec
from assent.models.endpoints import Endpoint
from assent.models.wires.anthropic import CACHED, WIRE, encode_request, encode_tools
from assent.models.wires.wire import arguments_of

ANTHROPIC = Endpoint("anthropic", "Anthropic", "https://api.anthropic.com", wire="anthropic")
OTHER = Endpoint("other", "Other", "https://example.org", wire="anthropic")
SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})
NOW = ToolSpec("now", "", {})
MARK = {"type": "ephemeral"}
MODEL = "claude-sonnet-4-5"
GO_ON = {"role": "user", "content": [{"type": "text", "text": "Go on.", "cache_control": MARK}]}
SHAPE = OutputSchema(
    "answer", {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
)


def signed(text: str, **extra: str) -> Reasoning:
    return Reasoning(text, {"anthropic": extra or {"signature": "s1g"}})


def body(*conversation: Message, model: str = MODEL, endpoint: Endpoint = ANTHROPIC, **settings: Any) -> Any:
    tools = settings.pop("tools", ())
    request = Request(conversation, tools, **settings)
    return json.loads(encode_request(request, model, endpoint, encode_tools(tools) if tools else b""))


def unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items() if key != "cache_control"}
    return value


def turns(*conversation: Message, **settings: Any) -> Any:
    """The turns that a conversation becomes, as role and content, without the marks of the cache."""
    sent = unmarked(body(*conversation, **settings)["messages"])
    return [(turn["role"], turn["content"]) for turn in sent]


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def test_where_and_as_whom_a_model_is_asked() -> None:
    assert WIRE.path(MODEL) == "/v1/messages"
    assert WIRE.headers("sk-1") == {"anthropic-version": "2023-06-01", "x-api-key": "sk-1"}
    assert WIRE.headers("") == {"anthropic-version": "2023-06-01"}


def test_the_head_of_a_request() -> None:
    sent = body(messages.user("Hi"), temperature=0.3)
    assert {key: value for key, value in sent.items() if key != "messages"} == {
        "model": MODEL,
        "max_tokens": 32_000,
        "stream": True,
        "temperature": 0.3,
    }
    assert body(messages.user("Hi"), temperature=1.7, max_tokens=10) | {"messages": []} == {
        "model": MODEL, "max_tokens": 10, "stream": True, "temperature": 1.0, "messages": [],
    }  # fmt: skip


def test_what_the_system_says_goes_ahead_of_the_turns() -> None:
    sent = body(messages.system("Be brief."), messages.user("Hi"), messages.system("Be kind."), messages.system(" "))
    assert sent["system"] == [text("Be brief."), text("Be kind.") | {"cache_control": MARK}]
    assert unmarked(sent["messages"]) == [{"role": "user", "content": [text("Hi")]}]


def test_parallel_results_are_one_turn_with_what_the_user_adds() -> None:
    calls = messages.assistant(ToolCall("a", "sql", '{"q": 1}'), ToolCall("b", "now", ""))
    told = messages.results([ToolResult("a", "sql", "one"), ToolResult("b", "now", "no", error=True)])
    assert turns(messages.user("Hi"), calls, told, messages.user("Go")) == [
        ("user", [text("Hi")]),
        (
            "assistant",
            [
                {"type": "tool_use", "id": "a", "name": "sql", "input": {"q": 1}},
                {"type": "tool_use", "id": "b", "name": "now", "input": {}},
            ],
        ),
        (
            "user",
            [
                {"type": "tool_result", "tool_use_id": "a", "content": "one", "is_error": False},
                {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
                text("Go"),
            ],
        ),
    ]


def test_results_that_come_late_go_ahead_of_the_words_of_their_turn() -> None:
    ask = messages.assistant(ToolCall("a", "sql", "{}"), ToolCall("b", "sql", "{}"), ToolCall("c", "sql", "{}"))
    late = [messages.results([ToolResult(name, "sql", name)]) for name in "abc"]
    sent = turns(messages.user("Hi"), ask, late[0], messages.user("Well?"), late[1], messages.user("Oh"), late[2])
    assert [block.get("tool_use_id") or block["text"] for block in sent[-1][1]] == ["a", "b", "c", "Well?", "Oh"]
    sent = turns(messages.user("Hi"), ask, messages.user("Well?"), late[0], late[1], late[2])
    assert [block.get("tool_use_id") or block["text"] for block in sent[-1][1]] == ["a", "b", "c", "Well?"]


def test_neighbours_of_one_role_are_one_turn() -> None:
    sent = turns(
        messages.user("a"),
        messages.user("b"),
        messages.assistant(Text("c")),
        messages.assistant(),
        messages.assistant(Text("d")),
        messages.user("e"),
    )
    assert sent == [("user", [text("a"), text("b")]), ("assistant", [text("c"), text("d")]), ("user", [text("e")])]


def test_empty_text_is_left_out() -> None:
    sent = turns(messages.user("a"), messages.assistant(Text(" \n")), messages.user(""), messages.user("b"))
    assert sent == [("user", [text("a"), text("b")])]


def test_the_user_has_the_first_and_the_last_turn() -> None:
    go_on = unmarked(GO_ON)["content"]
    assert turns(messages.assistant(Text("Hi "))) == [("user", go_on), ("assistant", [text("Hi ")]), ("user", go_on)]
    assert body()["messages"] == body(messages.system("Be brief."))["messages"] == [GO_ON]


def test_an_image_goes_as_base64() -> None:
    ((_, (image, words)),) = turns(messages.user("What is it?", Image("image/png", "ab12", b"\x89PNG")))
    assert image == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}
    assert words == text("What is it?")


def test_an_error_without_words_gets_some() -> None:
    told = messages.results([ToolResult("a", "sql", "", error=True), ToolResult("b", "sql", "")])
    ((_, (failed, empty)),) = turns(told)
    assert (bool(failed["content"].strip()), empty["content"]) == (True, "")


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"a": 1.0, "b": 12345678901234567890}', {"a": 1.0, "b": 12345678901234567890}),
        ("  ", {}),
        ('{"query": "SEL', {"invalid": '{"query": "SEL'}),
        ("[1]", {"invalid": "[1]"}),
        ('{"a": NaN}', {"invalid": '{"a": NaN}'}),
        ("[" * 100_000, {"invalid": "[" * 100_000}),
    ],
)
def test_arguments_go_back_as_an_object(arguments: str, sent: Any) -> None:
    call = messages.assistant(ToolCall("a", "sql", arguments))
    assert turns(messages.user("Hi"), call)[1][1][0]["input"] == sent


def test_arguments_go_back_to_the_letter() -> None:
    request = Request([messages.assistant(ToolCall("a", "sql", '{ "q" :1.50,\n"q":"\\u00e9"}'))])
    assert b'"input":{ "q" :1.50,\n"q":"\\u00e9"}}' in encode_request(request, MODEL, ANTHROPIC, b"")


def test_ids_of_other_vendors_are_made_fit_for_call_and_result_alike() -> None:
    ids = ["toolu_01-A", "run.1", "run.2", "", "é" * 50]
    ask = messages.assistant(*[ToolCall(name, "sql", "{}") for name in ids])
    told = messages.results([ToolResult(name, "sql", "x") for name in ids])
    sent = turns(messages.user("Hi"), ask, told)
    asked = [block["id"] for block in sent[1][1]]
    assert asked == [block["tool_use_id"] for block in sent[2][1]]
    assert (asked[0], len(set(asked))) == ("toolu_01-A", 5)
    assert all(re.fullmatch("[a-zA-Z0-9_-]+", name) for name in asked)


def test_half_a_sign_of_two_makes_no_broken_request() -> None:
    sent = turns(messages.user("a\ud800b"), messages.assistant(ToolCall("a", "sql", '{"q": "\ud800"}')))
    assert (sent[0][1], sent[1][1][0]["input"]) == ([text("a?b")], {"q": "?"})


def test_thinking_goes_back_unchanged_and_in_order_to_its_own_vendor_only() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "rain"}}
    said = messages.assistant(
        signed("Hm."),
        Text("Let me see."),
        signed("", redacted="Eq=="),
        Reasoning("Another vendor's.", {"gemini": {"signature": "g"}}),
        Reasoning("Nobody's."),
        Reasoning("", {"anthropic": {"block": block}}),
        signed("", signature="empty"),
        ToolCall("a", "sql", "{}"),
    )
    own, other = turns(messages.user("Hi"), said), turns(messages.user("Hi"), said, endpoint=OTHER)
    assert own[1][1][:-1] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "s1g"},
        text("Let me see."),
        {"type": "redacted_thinking", "data": "Eq=="},
        block,
        {"type": "thinking", "thinking": "", "signature": "empty"},
    ]
    assert [block["type"] for block in other[1][1]] == ["text", "tool_use"]


def test_a_turn_does_not_end_in_a_thought() -> None:
    cut = messages.assistant(Text("So"), signed("Hm."), signed("", redacted="Eq=="))
    assert turns(messages.user("Hi"), cut, messages.user("Well?"))[1] == ("assistant", [text("So")])
    only = messages.assistant(signed("Hm."))
    assert turns(messages.user("Hi"), only, messages.user("Well?")) == [("user", [text("Hi"), text("Well?")])]


def test_tools_and_how_they_may_be_called() -> None:
    sent = body(messages.user("Hi"), tools=(SQL, NOW))
    assert unmarked(sent["tools"]) == [
        {"name": "sql", "description": "Query.", "input_schema": SQL.schema},
        {"name": "now", "input_schema": {"type": "object"}},
    ]
    choices = [body(messages.user("Hi"), tools=(SQL,), tool_choice=name)["tool_choice"] for name in (
        "auto", "none", "required", "sql",
    )]  # fmt: skip
    assert choices == [{"type": "auto"}, {"type": "none"}, {"type": "any"}, {"type": "tool", "name": "sql"}]
    assert "tool_choice" not in body(messages.user("Hi"), tool_choice="required")


def test_a_tool_is_not_demanded_of_a_model_that_refuses_it() -> None:
    for choice in ("required", "sql"):
        asked: dict[str, Any] = {"tools": (SQL,), "tool_choice": choice}
        assert body(messages.user("Hi"), model="claude-opus-5-5", **asked)["tool_choice"] == {"type": "auto"}
        assert body(messages.user("Hi"), effort="low", **asked)["tool_choice"] == {"type": "auto"}


def test_how_much_to_think_is_a_budget_for_older_models() -> None:
    sent = body(messages.user("Hi"), effort="medium", temperature=0.5)
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 8192}
    assert "temperature" not in sent
    small = body(messages.user("Hi"), effort="high", max_tokens=5000)
    assert small["thinking"]["budget_tokens"] < small["max_tokens"]
    assert "thinking" not in body(messages.user("Hi"), effort="high", max_tokens=1500)
    assert not {"thinking", "output_config"} & body(messages.user("Hi"), effort="none").keys()


def test_how_much_to_think_is_an_effort_for_newer_models() -> None:
    sent = body(messages.user("Hi"), effort="medium", temperature=0.5, model="claude-sonnet-5-5")
    assert sent["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert sent["output_config"] == {"effort": "medium"}
    assert "temperature" not in sent


def test_a_budget_is_not_given_in_the_middle_of_calls_that_began_without_a_thought() -> None:
    begun = [messages.user("Hi"), messages.assistant(ToolCall("a", "sql", "{}"))]
    told = messages.results([ToolResult("a", "sql", "one")])
    assert "thinking" not in body(*begun, told, effort="low")
    assert "thinking" in body(*begun, told, effort="low", model="claude-opus-4-6")
    assert "thinking" in body(*begun, told, messages.assistant(Text("One.")), messages.user("Sure?"), effort="low")
    thought = messages.assistant(signed("Hm."), ToolCall("a", "sql", "{}"))
    assert "thinking" in body(messages.user("Hi"), thought, told, effort="low")


def test_an_answer_is_held_to_a_schema() -> None:
    sent = body(messages.user("Hi"), output=SHAPE, effort="low", model="claude-sonnet-5-5")
    described = {"type": "integer", "description": "(minimum: 1)"}
    schema = {**SHAPE.schema, "properties": {"n": described}, "additionalProperties": False}
    assert sent["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": schema}}
    assert "system" not in sent


@pytest.mark.parametrize(
    ("model", "output"),
    [("claude-sonnet-4-0", SHAPE), (MODEL, OutputSchema("any", {"type": "object", "additionalProperties": True}))],
)
def test_an_answer_that_cannot_be_held_to_a_schema_is_told_it(model: str, output: OutputSchema) -> None:
    sent = body(messages.system("Be brief."), messages.user("Hi"), output=output, model=model)
    assert "output_config" not in sent
    assert sent["system"][0] == text("Be brief.") | {"cache_control": MARK}
    assert json.dumps(output.schema) in sent["system"][1]["text"]


def marks(sent: Mapping[str, Any]) -> list[Any]:
    """Where the marks of the cache are: "tools", "system", or the turn's and the block's number."""
    found: list[Any] = [name for name in ("tools", "system") if "cache_control" in (sent.get(name) or [{}])[-1]]
    for at, turn in enumerate(sent["messages"]):
        found += [(at, number) for number, block in enumerate(turn["content"]) if "cache_control" in block]
    assert json.dumps(sent).count('"cache_control"') == len(found) <= 4
    return found


def test_the_cache_is_marked_at_the_system_and_the_last_two_turns_of_the_users() -> None:
    said, thought = messages.assistant(Text("b")), messages.assistant(signed("Hm."), ToolCall("t", "sql", "{}"))
    told = messages.results([ToolResult("t", "sql", "x"), ToolResult("u", "sql", "y")])
    talk = [messages.user("a"), said, messages.user("c"), thought, told]
    assert marks(body(*talk)) == [(2, 0), (4, 1)]
    assert marks(body(*talk, tools=(SQL, NOW))) == ["tools", (2, 0), (4, 1)]
    assert marks(body(messages.system("s"), *talk, tools=(SQL,))) == ["system", (2, 0), (4, 1)]
    assert marks(body(messages.system("s"), messages.user("a"))) == ["system", (0, 0)]
    assert marks(body(messages.user("a"), said, endpoint=OTHER)) == [(0, 0), (2, 0)]


def test_a_message_is_encoded_once() -> None:
    message = messages.user("Hello")
    body(message)
    assert json.loads(message.encoded["anthropic"]) == text("Hello")
    message.encoded["anthropic"] = b'{"type":"text","text":"kept"}'
    assert turns(message) == [("user", [text("kept")])]


def test_what_was_sent_before_stays_as_it_was_but_for_the_marks() -> None:
    def sent(conversation: list[Message]) -> bytes:
        return encode_request(Request(conversation, [SQL]), MODEL, ANTHROPIC, encode_tools([SQL])).replace(CACHED, b"")

    talk = [messages.system("Be brief."), messages.user("Hi", Image("image/png", "d", b"x"))]
    before = sent(talk)
    for step in range(6):
        talk += [
            messages.assistant(signed("Hm."), Text("é"), ToolCall(f"t{step}", "sql", f'{{"n": {step}}}')),
            messages.results([ToolResult(f"t{step}", "sql", "row\n" * 9)]),
        ]
        if step == 3:
            talk += [messages.assistant(Text("Done.")), messages.user("And now?")]
        after = sent(talk)
        assert before.endswith(b"]}]}")
        assert after.startswith(before.removesuffix(b"]}"))
        before = after


WORDS = st.text(max_size=12)
IDS = st.one_of(WORDS, st.sampled_from(["toolu_1", "run.1"]))
SAID = [
    st.builds(Text, WORDS),
    st.builds(Reasoning, WORDS, st.sampled_from([None, {"anthropic": {"signature": "s"}}, {"x": {"signature": "s"}}])),
    st.builds(
        ToolCall,
        IDS,
        st.sampled_from(["sql", "A-1_"]),
        st.one_of(WORDS, st.dictionaries(WORDS, st.integers()).map(json.dumps)),
    ),
]
SHOWN = st.builds(Image, st.just("image/png"), WORDS, st.binary(min_size=1, max_size=5))
RESULTS = st.builds(ToolResult, IDS, WORDS, WORDS, st.booleans())


def message_of(role: Role, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    return st.builds(Message, st.just(role), st.lists(st.one_of(*parts), max_size=4).map(tuple))


CONVERSATIONS = st.lists(
    st.one_of(
        message_of("system", SAID[0]),
        message_of("user", *SAID, SHOWN),
        message_of("assistant", *SAID, SHOWN, RESULTS),
        message_of("tool", RESULTS),
    ),
    max_size=7,
)


@settings(deadline=None, max_examples=150)
@given(CONVERSATIONS)
def test_any_conversation_is_told_in_full_and_in_turns(conversation: list[Message]) -> None:
    sent = body(*conversation, tools=(SQL,))
    roles = [turn["role"] for turn in sent["messages"]]
    assert roles == ["user" if at % 2 == 0 else "assistant" for at in range(len(roles))]
    assert len(roles) % 2 == 1
    assert all(turn["content"] for turn in sent["messages"])
    told = [block for turn in sent["messages"] for block in turn["content"]]
    assert all(block["text"].strip() for block in [*told, *sent.get("system", [])] if block["type"] == "text")
    assert not any("cache_control" in block for block in told if block["type"] == "thinking")
    assert marks(sent)[0] == ("system" if "system" in sent else "tools")
    for role in ("user", "assistant"):
        blocks = [block for turn in sent["messages"] if turn["role"] == role for block in turn["content"]]
        for kind in ("text", "call", "result", "image", "thought"):
            decoded = [item for item in map(read, blocks) if item[0] == kind]
            assert decoded == [item for item in expected(conversation, role) if item[0] == kind]


def read(block: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a block tells, by a reader of the format that shares nothing with the writer."""
    match block["type"]:
        case "text":
            return "text", block["text"]
        case "tool_use":
            return "call", fit(block["id"]), block["name"], block["input"]
        case "tool_result":
            return "result", fit(block["tool_use_id"]), block["content"] or None, block["is_error"]
        case "image":
            return "image", base64.b64decode(block["source"]["data"])
        case "thinking":
            return "thought", block["thinking"], block["signature"]
    raise AssertionError(block)


def expected(conversation: list[Message], role: str) -> list[tuple[Any, ...]]:
    """What is to be told of a conversation in the turns of one side, in order."""
    talk = [message for message in conversation if message.role != "system" and list(told_of(message))]
    sides = ["assistant" if message.role == "assistant" else "user" for message in talk]
    items = [item for message, side in zip(talk, sides, strict=True) if side == role for item in told_of(message)]
    if role == "assistant":
        return items
    first = [("text", "Go on.")] if sides[:1] != ["user"] else []
    last = [("text", "Go on.")] if sides[-1:] == ["assistant"] else []
    return [*first, *items, *last]


def told_of(message: Message) -> Iterator[tuple[Any, ...]]:
    parts = list(message.parts)
    while message.role == "assistant" and parts and tell(parts[-1], message.role)[:1] in ((), ("thought",)):
        parts.pop()
    return (item for part in parts if (item := tell(part, message.role)))


def tell(part: Part, role: Role) -> tuple[Any, ...]:
    match part:
        case Text() if part.text.strip():
            return "text", part.text
        case Reasoning() if role == "assistant" and "anthropic" in (part.extra or {}):
            return "thought", part.text, "s"
        case ToolCall() if role == "assistant":
            return "call", fit(part.id), part.name, arguments_of(part.arguments if part.arguments.strip() else "")
        case ToolResult() if role != "assistant":
            return "result", fit(part.id), part.text or ("It failed." if part.error else None), part.error
        case Image() if role != "assistant":
            return "image", part.data
    return ()


def fit(name: str) -> str:
    """An id; every stand-in for one that does not fit reads the same."""
    return "-" if not re.fullmatch("[a-zA-Z0-9_-]+", name) or re.fullmatch("[a-z0-9]{9}", name) else name
