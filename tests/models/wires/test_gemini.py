"""The Gemini format: what a request is made of."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.core import messages
from assent.core.messages import Image, Message, Part, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import OutputSchema, Request, ToolSpec
from assent.models.endpoints import ENDPOINTS
from assent.models.wires.gemini import UNSIGNED, WIRE, encode_request, encode_tools, headers, path, understood
from assent.models.wires.wire import arguments_of

GEMINI = next(row for row in ENDPOINTS if row.name == "gemini")
OLD, NEW = "gemini-2.0-flash", "gemini-3-flash-preview"
SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})


def body(*conversation: Message, model: str = OLD, tools: tuple[ToolSpec, ...] = (), **fields: Any) -> Any:
    request = Request(conversation, tools, **fields)
    return json.loads(encode_request(request, model, GEMINI, encode_tools(tools) if tools else b""))


def signed(signature: str, **more: str) -> dict[str, dict[str, str]]:
    return {"gemini": {**more, "thoughtSignature": signature}}


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("gemini-2.5-pro", "models/gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "models/gemini-2.5-pro"),
        ("tunedModels/mine-1", "tunedModels/mine-1"),
        ("a b?c#d", "models/a%20b%3Fc%23d"),
    ],
)
def test_a_model_is_asked_by_its_resource(model: str, resource: str) -> None:
    assert path(model) == f"/{resource}:streamGenerateContent?alt=sse"


def test_the_key_goes_in_a_header_of_its_own() -> None:
    assert headers("k-1") == {"x-goog-api-key": "k-1"}
    assert headers("") == {}
    assert "k-1" not in WIRE.path(OLD)


def test_roles_and_the_system() -> None:
    sent = body(messages.system("Be brief."), messages.user("Hi"), messages.assistant(Text("Ho")), messages.user("?"))
    assert sent == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Ho"}]},
            {"role": "user", "parts": [{"text": "?"}]},
        ],
    }


def test_neighbours_of_one_role_are_one_turn() -> None:
    call = ToolCall("c1", "sql", '{"query":"SELECT 1"}')
    sent = body(
        messages.user("One"),
        messages.user("Two"),
        messages.assistant(call),
        messages.results([ToolResult("c1", "sql", "1")]),
        messages.user("Three"),
    )
    assert [(turn["role"], len(turn["parts"])) for turn in sent["contents"]] == [("user", 2), ("model", 1), ("user", 2)]
    assert sent["contents"][2]["parts"] == [
        {"functionResponse": {"name": "sql", "response": {"output": "1"}}},
        {"text": "Three"},
    ]


def test_there_is_always_something_to_answer() -> None:
    assert body(messages.system("Tell a joke."))["contents"] == [{"role": "user", "parts": [{"text": ""}]}]
    assert body(messages.user(""))["contents"] == [{"role": "user", "parts": [{"text": ""}]}]
    assert len(body(messages.user("a"), messages.assistant(Text("")), messages.user("b"))["contents"]) == 1


def test_a_message_is_encoded_once() -> None:
    conversation = [messages.user("Hello"), messages.assistant(ToolCall("c", "sql", "{}"))]
    body(*conversation, model=NEW)
    for message in conversation:
        (slot,) = message.encoded
        message.encoded[slot] = b'{"text":"kept"}'
    assert body(*conversation, model=NEW)["contents"] == [
        {"role": role, "parts": [{"text": "kept"}]} for role in ("user", "model")
    ]


def test_an_image_goes_inline() -> None:
    (turn,) = body(messages.user("What is it?", Image("image/png", "ab12", b"\x89PNG")))["contents"]
    assert turn["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
        {"text": "What is it?"},
    ]


def test_what_failed_is_told_as_an_error() -> None:
    (turn,) = body(messages.results([ToolResult("c", "sql", "no such table", error=True)]))["contents"]
    assert turn["parts"] == [{"functionResponse": {"name": "sql", "response": {"error": "no such table"}}}]


def test_an_id_goes_back_only_if_gemini_gave_it() -> None:
    ours, theirs = ToolCall("call_1_0", "sql", "{}"), ToolCall("run.2", "sql", "{}", {"gemini": {"id": "fc-7"}})
    answers = [ToolResult("call_1_0", "sql", "1"), ToolResult("run.2", "sql", "2")]
    asked, answered = body(messages.assistant(ours, theirs), messages.results(answers))["contents"]
    assert [part["functionCall"].get("id") for part in asked["parts"]] == [None, "fc-7"]
    assert [part["functionResponse"].get("id") for part in answered["parts"]] == [None, "fc-7"]


def test_signatures_go_back_on_the_very_parts_they_came_with() -> None:
    message = messages.assistant(
        Reasoning("Unsigned thoughts stay here."),
        Reasoning("Hm.", signed("a")),
        Text("See:", signed("b")),
        Text("plain"),
        ToolCall("c1", "sql", "{}", signed("c", id="fc-1")),
        ToolCall("c2", "sql", "{}"),
        Text("", signed("d")),
    )
    for model in (OLD, NEW):
        (turn,) = body(message, model=model)["contents"]
        assert turn["parts"] == [
            {"text": "Hm.", "thought": True, "thoughtSignature": "a"},
            {"text": "See:", "thoughtSignature": "b"},
            {"text": "plain"},
            {"functionCall": {"id": "fc-1", "name": "sql", "args": {}}, "thoughtSignature": "c"},
            {"functionCall": {"name": "sql", "args": {}}},
            {"text": "", "thoughtSignature": "d"},
        ]


def test_what_another_vendor_wants_back_is_dropped() -> None:
    foreign = {"anthropic": {"signature": "x", "thoughtSignature": "x", "id": "x"}}
    message = messages.assistant(
        Reasoning("Hm.", foreign), Text("Yes", foreign), ToolCall("toolu_1", "sql", "{}", foreign)
    )
    (turn,) = body(message)["contents"]
    assert turn["parts"] == [{"text": "Yes"}, {"functionCall": {"name": "sql", "args": {}}}]


@pytest.mark.parametrize(
    "model", [NEW, "gemini-2.5-pro", "gemini-3.1-pro-preview", "models/gemini-3.8-flash", "gemini-flash-latest"]
)
def test_gemini_takes_over_the_calls_of_another_model(model: str) -> None:
    (turn,) = body(messages.assistant(ToolCall("a", "sql", "{}"), ToolCall("b", "sql", "{}")), model=model)["contents"]
    assert [part.get("thoughtSignature") for part in turn["parts"]] == [UNSIGNED, None]


def test_the_same_conversation_for_an_older_and_a_newer_model() -> None:
    message = messages.assistant(ToolCall("a", "sql", "{}"))
    for model, signature in ((OLD, None), (NEW, UNSIGNED), (OLD, None), (NEW, UNSIGNED)):
        assert body(message, model=model)["contents"][0]["parts"][0].get("thoughtSignature") == signature


def test_arguments_that_are_no_object_are_wrapped() -> None:
    (turn,) = body(messages.assistant(ToolCall("a", "sql", '{"query": "SEL')))["contents"]
    assert turn["parts"][0]["functionCall"]["args"] == {"invalid": '{"query": "SEL'}


def test_tools_are_declared_with_their_json_schema() -> None:
    (declared,) = body(messages.user("?"), tools=(SQL,))["tools"]
    assert declared == {
        "functionDeclarations": [{"name": "sql", "description": "Query.", "parametersJsonSchema": SQL.schema}]
    }


def test_a_constant_is_an_enum_of_one() -> None:
    schema = {
        "type": "object",
        "properties": {"const": {"type": "string", "const": "a", "default": {"const": 1}}, "n": {"$ref": "#/$defs/N"}},
        "$defs": {"N": {"anyOf": [{"const": 1, "type": "integer"}, {"type": "null"}]}},
    }
    assert understood(schema) == {
        "type": "object",
        "properties": {"const": {"type": "string", "enum": ["a"], "default": {"const": 1}}, "n": {"$ref": "#/$defs/N"}},
        "$defs": {"N": {"anyOf": [{"enum": [1], "type": "integer"}, {"type": "null"}]}},
    }


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("sql", {"mode": "ANY", "allowedFunctionNames": ["sql"]}),
    ],
)
def test_how_tools_may_be_called(choice: str, config: Any) -> None:
    sent = body(messages.user("?"), tools=(SQL,), tool_choice=choice)
    assert sent.get("toolConfig") == (config and {"functionCallingConfig": config})
    assert "toolConfig" not in body(messages.user("?"), tool_choice=choice)


def test_settings_of_the_answer() -> None:
    output = OutputSchema("answer", {"type": "object", "properties": {"n": {"const": 1}}})
    sent = body(messages.user("?"), temperature=0.0, max_tokens=99, output=output)
    assert sent["generationConfig"] == {
        "temperature": 0.0,
        "maxOutputTokens": 99,
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "properties": {"n": {"enum": [1]}}},
    }
    assert "generationConfig" not in body(messages.user("?"))


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("models/gemini-2.5-flash-lite", "low", {"thinkingBudget": 1024, "includeThoughts": True}),
        ("gemini-2.5-pro", "high", {"thinkingBudget": 24576, "includeThoughts": True}),
        ("gemini-2.0-flash", "high", None),
        ("gemma-3-27b-it", "high", None),
        ("gemini-3-flash-preview", "none", {"thinkingLevel": "minimal"}),
        ("gemini-3.5-flash-lite", "none", {"thinkingLevel": "minimal"}),
        ("gemini-3.8-flash", "none", {"thinkingLevel": "low"}),
        ("gemini-3.1-pro-preview", "none", {"thinkingLevel": "low"}),
        ("gemini-flash-latest", "medium", {"thinkingLevel": "medium", "includeThoughts": True}),
        ("gemini-flash-latest", None, None),
    ],
)
def test_how_much_to_think(model: str, effort: Any, thinking: Any) -> None:
    sent = body(messages.user("?"), model=model, effort=effort)
    assert sent.get("generationConfig", {}).get("thinkingConfig") == thinking


def written(extra: Any) -> st.SearchStrategy[Part]:
    return st.one_of(
        st.builds(Text, TEXTS, extra),
        st.builds(Reasoning, TEXTS, extra),
        st.builds(ToolCall, TEXTS, NAMES, JSON, extra),
    )


NAMES = st.sampled_from(["sql", "A.1_"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.one_of(TEXTS, st.dictionaries(TEXTS, st.one_of(st.integers(), TEXTS, st.none()), max_size=3).map(json.dumps))
EXTRAS = st.one_of(
    st.none(),
    st.builds(lambda signature, id: signed(signature, id=id), TEXTS, TEXTS),
    st.just({"openai": {"thoughtSignature": "x"}}),
)
ASKED = st.one_of(st.builds(Text, TEXTS), st.builds(Image, st.just("image/png"), TEXTS, st.binary(max_size=4)))
RESULTS = st.builds(ToolResult, TEXTS, NAMES, TEXTS, st.booleans())
CONVERSATIONS = st.lists(
    st.one_of(
        st.builds(Message, st.just("system"), st.lists(st.builds(Text, TEXTS), max_size=2).map(tuple)),
        st.builds(Message, st.just("user"), st.lists(ASKED, max_size=3).map(tuple)),
        st.builds(Message, st.just("assistant"), st.lists(written(EXTRAS), max_size=4).map(tuple)),
        st.builds(Message, st.just("tool"), st.lists(RESULTS, max_size=3).map(tuple)),
    ),
    max_size=6,
)
Said = list[tuple[str, str, object]]


def said(sent: Any) -> Said:
    """What a body says, part by part: who, what kind, what."""
    found: Said = [("system", "text", part["text"]) for part in sent.get("systemInstruction", {}).get("parts", ())]
    for turn in sent["contents"]:
        for part in turn["parts"]:
            signature = part.pop("thoughtSignature", None)
            thought = part.pop("thought", False)
            ((kind, value),) = part.items()
            found.append((turn["role"], "thought" if thought else kind, value))
            if signature:
                found.append((turn["role"], "signature", signature))
    return found


def meant(conversation: list[Message]) -> Said:
    """The same, of a conversation, but for an id that only Gemini may give."""
    found: Said = [
        ("system", "text", part.text) for message in conversation if message.role == "system"
        for part in message.parts if isinstance(part, Text) and part.text
    ]  # fmt: skip
    for message in conversation:
        if message.role != "system":
            for part in message.parts:
                found += _meant(message, part)
    return found


def _meant(message: Message, part: Part) -> Said:
    role = "model" if message.role == "assistant" else "user"
    own = (getattr(part, "extra", None) or {}).get("gemini", {})
    end: Said = [(role, "signature", own["thoughtSignature"])] if own.get("thoughtSignature") else []
    match part:
        case Text(text):
            return [(role, "text", text), *end] if text or end else []
        case Reasoning(text):
            return [(role, "thought", text), *end] if end else []
        case Image():
            return [(role, "inlineData", part.digest)]
        case ToolCall():
            call = {"name": part.name, "args": arguments_of(part.arguments)}
            return [(role, "functionCall", {"id": own["id"], **call} if own.get("id") else call), *end]
        case ToolResult():
            key = "error" if part.error else "output"
            return [(role, "functionResponse", {"name": part.name, "response": {key: part.text}})]


@settings(deadline=None)
@given(CONVERSATIONS)
def test_any_conversation_says_the_same_once_it_is_read_back(conversation: list[Message]) -> None:
    sent = body(*conversation, tools=(SQL,))
    roles = [turn["role"] for turn in sent["contents"]]
    assert all(one != other for one, other in pairwise(roles))
    assert all(turn["parts"] for turn in sent["contents"])
    digests = [part.digest for message in conversation for part in message.parts if isinstance(part, Image)]
    found: Said = []
    for role, kind, value in said(sent):
        if isinstance(value, dict) and kind == "functionResponse":
            value.pop("id", None)
        found.append((role, kind, digests.pop(0) if kind == "inlineData" else value))
    silent = ("user", "text", "")
    assert [item for item in found if item != silent] == [item for item in meant(conversation) if item != silent]


@settings(deadline=None)
@given(CONVERSATIONS)
def test_gemini_never_gets_a_step_whose_first_call_is_unsigned(conversation: list[Message]) -> None:
    for message in conversation:
        calls = [
            part for turn in body(message, model=NEW)["contents"] for part in turn["parts"] if "functionCall" in part
        ]
        assert all(part.get("thoughtSignature") for part in calls[:1])
        assert UNSIGNED not in [part.get("thoughtSignature") for part in calls[1:]]
