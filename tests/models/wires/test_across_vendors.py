"""Whatever any vendor answered, each of the others takes the conversation: checked by rules of their own documents."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.core import messages
from assent.core.agent import Agent
from assent.core.events import Event, Kind
from assent.core.messages import Image, Message, Part, Reasoning, Text, ToolCall
from assent.core.model import Request, ToolSpec
from assent.models.endpoints import CUSTOM, ENDPOINTS, Endpoint
from assent.models.remote import WIRES
from assent.runs.state import State, apply, begin
from assent.runs.think import _with_ids
from assent.store.rows import encoded

pytestmark = pytest.mark.slow

VENDORS = (*ENDPOINTS, CUSTOM)
ASKED = {"anthropic": "claude-sonnet-4-5", "openai-responses": "gpt-5-mini", "gemini": "gemini-3-pro-preview"}
NAME = re.compile("[a-zA-Z0-9_-]{1,64}")  # what OpenAI and Anthropic take as the name of a call
OWN = {vendor.name: f"only-{vendor.name}-may-see-this" for vendor in VENDORS}
SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})

# What a vendor keeps with a part, as its own wire format writes it.
_KEPT: Mapping[str, Mapping[type[Part], Any]] = {
    "anthropic": {Reasoning: st.sampled_from([{"signature": OWN["anthropic"]}, {"redacted": OWN["anthropic"]}])},
    "gemini": {
        kind: st.sampled_from([{"thoughtSignature": OWN["gemini"]}, {"id": OWN["gemini"]}][: 1 + (kind is ToolCall)])
        for kind in (Text, Reasoning, ToolCall)
    },
    "openrouter": {
        Reasoning: st.just({"reasoning_details": [{"type": "reasoning.encrypted", "data": OWN["openrouter"]}]})
    },
    "openai-responses": {
        Reasoning: st.just(
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": OWN["openai-responses"]}
        ),
        Text: st.just({"id": "msg_1", "phase": "commentary"}),
        ToolCall: st.just({"id": "fc_1"}),
    },
}
_words = st.one_of(
    st.sampled_from(["", " ", "\n", "Fine.", "\0", "\ud800", "a" * 300, '{"a": 1}', "</think>", "🙂"]),
    st.text(st.characters(codec=None), max_size=20),
)
_ids = st.one_of(
    st.sampled_from(["", "c0", "call_1", "x" * 500, "functions.sql:0", "\0", "\ud800", "\ud801", "é"]), _words
)
_names = st.one_of(st.sampled_from(["sql", "sql", "", "functions.sql", "a b", "n" * 200, "\0", "\ud800", "é", "1x"]))
_arguments = st.one_of(
    st.sampled_from([
        "", " ", "{}", '{"query": "SELECT 1"}', "{", "[]", "null", '"x"', '{"a": NaN}', '{"a": 1e999}', '{"a": -1e999}',
        r'{"a": "\ud800"}', r'{"\udc00": 1}', '{"a": "\ud800"}', '{"a": "\0"}', '{"a": 1, "a": 2}', '{"invalid": 1}',
        '{"a": ' * 200 + "1" + "}" * 200, '{"a": ' + "9" * 5000 + "}", r'{"a": "\\ud800 \u00e9 \ud83d\ude00"}',
    ]),
    _words,
)  # fmt: skip


@st.composite
def _part(draw: st.DrawFn, vendor: str) -> Part:
    kind: Any = draw(st.sampled_from([Text, Reasoning, ToolCall]))
    kept = _KEPT.get(vendor, {}).get(kind)
    own = draw(st.none() | kept) if kept is not None else None
    extra = None if own is None else {vendor: own}
    if kind is ToolCall:
        return ToolCall(draw(_ids), draw(_names), draw(_arguments), extra)
    part: Text | Reasoning = kind(draw(_words), extra)
    return part


@st.composite
def _answer(draw: st.DrawFn) -> Message:
    vendor = draw(st.sampled_from([endpoint.name for endpoint in VENDORS]))
    return Message("assistant", tuple(draw(st.lists(_part(vendor), max_size=5))))


@st.composite
def _events(draw: st.DrawFn) -> Iterator[State]:
    """A run whose model was changed at every step: its states as often as a model would be asked."""
    agent = Agent(instructions=draw(st.sampled_from(["", "Be brief.", "\ud800"])))
    images = [{"media_type": "image/png", "digest": "0" * 64}] if draw(st.booleans()) else []
    body = {"agent": agent.to_json(), "prompt": draw(st.sampled_from(["Hi", "", "\ud800"])), "images": images}
    return _told(
        begin(Event(kind=Kind.RUN_STARTED, run="abcdefghjk", body=body)), draw(st.lists(_answer(), max_size=4)), draw
    )


def _told(state: State, answers: list[Message], draw: st.DrawFn) -> Iterator[State]:
    state.messages[1] = replace(
        state.messages[1],
        parts=tuple(replace(p, data=b"\x89PNG") if isinstance(p, Image) else p for p in state.messages[1].parts),
    )
    yield state
    for answer in answers:
        answer = _with_ids(answer, state)
        apply(state, Event(kind=Kind.MODEL_ANSWERED, run=state.run, body={"message": messages.to_json(answer)}))
        for call in list(state.batch.values()):
            text, error = draw(_words), draw(st.booleans())
            body = {"text": text, "error": error}
            apply(state, Event(kind=Kind.CALL_FINISHED, run=state.run, call=call.id, body=body))
        if not answer.calls:
            apply(state, Event(kind=Kind.ANSWER_REFUSED, run=state.run, body={"text": "Answer again."}))
        if draw(st.booleans()):
            apply(state, Event(kind=Kind.RUN_CANCELLED, run=state.run, body={"reason": "stopped"}))
            apply(state, Event(kind=Kind.RUN_RESUMED, run=state.run, body={}))
        yield state


def _no_half(text: str) -> float:
    value = float(text)
    assert abs(value) != float("inf"), f"{text} is beyond a double"
    return value


def strict_json(raw: bytes | str) -> Any:
    """JSON as strict parsers take it: no NaN, no half of a surrogate pair, no number beyond a double."""

    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    value = json.loads(raw, parse_constant=refuse, parse_float=_no_half)
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def check_chat(sent: Any, endpoint: Endpoint) -> None:
    open_calls: list[str] = []
    seen: set[str] = set()
    before = ""
    for at, turn in enumerate(sent["messages"]):
        role, content = turn["role"], turn.get("content")
        assert role in ("system", "user", "assistant", "tool")
        assert role != "system" or at == 0
        assert not open_calls or role == "tool", "every result must follow its call at once"
        if role == "tool":
            assert turn["tool_call_id"] in open_calls
            open_calls.remove(turn["tool_call_id"])
            assert isinstance(content, str)
        elif role == "assistant":
            calls = turn.get("tool_calls", [])
            assert content or calls, "an assistant's turn must hold something"
            assert "tool_calls" not in turn or calls
            for call in calls:
                assert NAME.fullmatch(call["function"]["name"])
                assert isinstance(strict_json(call["function"]["arguments"]), dict)
                assert call["id"]
                assert call["id"] not in seen
                assert not endpoint.ids or re.fullmatch(endpoint.ids, call["id"])
                seen.add(call["id"])
                open_calls.append(call["id"])
            assert before in ("user", "tool")
        else:
            assert isinstance(content, str) or all(item.get("text") != "" for item in content)
            assert not (endpoint.between and role == "user" and before == "tool")
        before = role
    assert not open_calls
    assert before in ("user", "tool")


def check_anthropic(sent: Any, endpoint: Endpoint) -> None:
    seen: set[str] = set()
    wanted: list[str] = []
    for at, turn in enumerate(sent["messages"]):
        assert turn["role"] == ("user", "assistant")[at % 2]
        assert turn["content"]
        kinds = [block["type"] for block in turn["content"]]
        if turn["role"] == "user":
            results = [block["tool_use_id"] for block in turn["content"] if block["type"] == "tool_result"]
            assert sorted(results) == sorted(wanted)
            assert kinds[: len(results)] == ["tool_result"] * len(results)
        wanted = []
        for block in turn["content"]:
            match block["type"]:
                case "text":
                    assert block["text"].strip()
                case "tool_use":
                    assert re.fullmatch("[a-zA-Z0-9_-]+", block["id"])
                    assert block["id"] not in seen
                    assert NAME.fullmatch(block["name"])
                    assert isinstance(block["input"], dict)
                    seen.add(block["id"])
                    wanted.append(block["id"])
                case "tool_result":
                    assert not block.get("is_error") or block["content"]
                case "thinking":
                    assert block["signature"]
        if turn["role"] == "assistant":
            assert kinds[-1] not in ("thinking", "redacted_thinking")
    assert sent["messages"][-1]["role"] == "user"
    assert not wanted
    assert all(block["text"].strip() for block in sent.get("system", ()))
    assert sum("cache_control" in json.dumps(part) for part in _blocks(sent)) <= 4


def _blocks(sent: Any) -> list[Any]:
    return [*sent.get("system", ()), *sent.get("tools", ()), *(b for turn in sent["messages"] for b in turn["content"])]


def check_gemini(sent: Any, endpoint: Endpoint) -> None:
    wanted: list[str] = []
    for at, turn in enumerate(sent["contents"]):
        assert turn["role"] == ("user", "model")[at % 2]
        assert turn["parts"]
        answered = [part["functionResponse"]["name"] for part in turn["parts"] if "functionResponse" in part]
        if turn["role"] == "user":
            assert answered == wanted, "as many answers as calls, in the next turn"
        calls = [part for part in turn["parts"] if "functionCall" in part]
        wanted = [part["functionCall"]["name"] for part in calls]
        assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_.-]{0,63}", name) for name in wanted)
        assert all(isinstance(part["functionCall"]["args"], dict) for part in calls)
        assert not calls or "thoughtSignature" in calls[0]
        for part in turn["parts"]:
            assert len(part.keys() & {"text", "inlineData", "functionCall", "functionResponse"}) == 1
    assert sent["contents"][-1]["role"] == "user"


def check_responses(sent: Any, endpoint: Endpoint) -> None:
    wanted: set[str] = set()
    seen: set[str] = set()
    last = ""
    for item in sent["input"]:
        kind = item.get("type", "message")
        if kind == "function_call":
            assert NAME.fullmatch(item["name"])
            assert isinstance(strict_json(item["arguments"]), dict)
            assert re.fullmatch(endpoint.ids, item["call_id"])
            assert item["call_id"] not in seen
            seen.add(item["call_id"])
            wanted.add(item["call_id"])
        elif kind == "function_call_output":
            wanted.remove(item["call_id"])
        elif kind == "message":
            assert not wanted or item["role"] == "assistant"
            assert item["role"] in ("user", "assistant", "developer")
            assert item["content"] or item["role"] == "user"
        last = kind if kind != "message" else item["role"]
        assert kind in ("function_call", "function_call_output", "message", "reasoning")
    assert not wanted
    assert last in ("user", "function_call_output")
    for item, after in zip(sent["input"], [*sent["input"][1:], {"type": "none"}], strict=True):
        if item.get("type") == "reasoning":
            assert after.get("type") in ("reasoning", "function_call", "message") or after.get("role") == "assistant"


CHECKS = {"chat": check_chat, "anthropic": check_anthropic, "gemini": check_gemini, "responses": check_responses}


def resumed(message: Message) -> Message:
    """A message as the journal gives it back to another process; a picture's bytes come from beside it."""
    kept = messages.from_json(json.loads(encoded(messages.to_json(message))))
    data = {part.digest: part.data for part in message.parts if isinstance(part, Image)}
    return replace(
        kept, parts=tuple(replace(p, data=data[p.digest]) if isinstance(p, Image) else p for p in kept.parts)
    )


@pytest.mark.parametrize("endpoint", VENDORS, ids=lambda endpoint: endpoint.name)
@settings(max_examples=60, deadline=None)
@given(states=_events())
def test_any_conversation_is_one_that_the_vendor_takes(endpoint: Endpoint, states: Iterator[State]) -> None:
    wire = WIRES[endpoint.wire]
    tools = wire.tools((SQL,))
    for state in states:
        request = Request(state.messages, (SQL,))
        raw = wire.encode(request, ASKED.get(endpoint.name, "x"), endpoint, tools)
        sent = strict_json(raw)
        CHECKS[endpoint.wire](sent, endpoint)
        assert not any(mark.encode() in raw for name, mark in OWN.items() if name != endpoint.name)
        again = [resumed(message) for message in state.messages]
        assert wire.encode(replace(request, messages=again), ASKED.get(endpoint.name, "x"), endpoint, tools) == raw


@settings(max_examples=60, deadline=None)
@given(states=_events())
def test_a_claude_with_a_budget_to_think_began_its_calls_with_a_thought(states: Iterator[State]) -> None:
    wire, endpoint = WIRES["anthropic"], next(item for item in VENDORS if item.name == "anthropic")
    for state in states:
        request = Request(state.messages, (SQL,), effort="high")
        sent = json.loads(wire.encode(request, "claude-sonnet-4-5", endpoint, wire.tools((SQL,))))
        if "thinking" in sent and sent["messages"][-1]["content"][0]["type"] == "tool_result":
            assert sent["messages"][-2]["content"][0]["type"] in ("thinking", "redacted_thinking")


def test_a_turn_that_is_not_told_does_not_hide_calls_without_a_thought() -> None:
    result = messages.ToolResult("c", "sql", "1")
    told = [
        messages.user("Hi"), messages.assistant(ToolCall("c", "sql", "{}")), messages.results([result]),
        messages.assistant(Reasoning("Hm.")), messages.user("Answer again."),
    ]  # fmt: skip
    wire, endpoint = WIRES["anthropic"], next(item for item in VENDORS if item.name == "anthropic")
    request = Request(told, (SQL,), effort="high")
    assert "thinking" not in json.loads(wire.encode(request, "claude-sonnet-4-5", endpoint, wire.tools((SQL,))))


def _after(call: ToolCall, endpoint: Endpoint) -> Any:
    result = messages.ToolResult(call.id, call.name, "There is no such tool.", error=True)
    told = [messages.user("Hi"), messages.assistant(call), messages.results([result])]
    wire = WIRES[endpoint.wire]
    return strict_json(wire.encode(Request(told, (SQL,)), "gemini-3-pro-preview", endpoint, wire.tools((SQL,))))


@pytest.mark.parametrize("endpoint", VENDORS, ids=lambda endpoint: endpoint.name)
def test_a_call_by_a_name_that_no_tool_has_does_not_spoil_the_conversation(endpoint: Endpoint) -> None:
    written = json.dumps([_after(ToolCall("c", name, "{}"), endpoint) for name in ("functions.sql<|x|>", "")])
    assert "<|x|>" not in written
    assert '"_functions_sql__x__"' in written
    assert '"name": ""' not in written


@pytest.mark.parametrize("endpoint", VENDORS, ids=lambda endpoint: endpoint.name)
def test_half_a_surrogate_pair_in_arguments_does_not_spoil_the_conversation(endpoint: Endpoint) -> None:
    written = json.dumps(_after(ToolCall("c", "sql", r'{"query": "\ud800 \ud83d\ude00"}'), endpoint))
    assert "ud800" not in written
    assert r"\ud83d\ude00" in written  # the whole pair stays
