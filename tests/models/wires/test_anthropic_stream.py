"""From Anthropic's events to a message, whatever comes and however it is cut."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import chat_server as server_side
from tests.support.chat_server import Reply, chat_server

from assent.core import messages
from assent.core.errors import ModelError
from assent.core.messages import Reasoning, Text, ToolCall
from assent.core.model import Answer, CallDelta, Delta, ReasoningDelta, Request, TextDelta, Usage
from assent.models.endpoints import Endpoint
from assent.models.remote import RemoteModel
from assent.models.sse import Tail, rest, split
from assent.models.wires.anthropic_stream import absorb
from assent.models.wires.draft import Draft, finish
from assent.models.wires.wire import Broken

ANTHROPIC = Endpoint("anthropic", "Anthropic", "https://api.anthropic.com", wire="anthropic")


def answer(*events: Any, output: str = "") -> tuple[Answer, list[Delta]]:
    draft = Draft(output=output)
    deltas = [delta for event in events for delta in absorb(draft, event, ANTHROPIC)]
    return finish(draft, "call_1", "anthropic"), deltas


def start(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def more(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def begun(**usage: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
    }
    return {"type": "message_start", "message": message | {"usage": usage}}


def ended(reason: str | None, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


END = {"type": "message_stop"}
SEARCH: dict[str, Any] = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND: dict[str, Any] = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"encrypted_content": "xyz"}],
}


def test_thinking_text_and_calls_come_as_they_are_written() -> None:
    found, deltas = answer(
        begun(input_tokens=9, output_tokens=1),
        start(0, "thinking", thinking="", signature=""),
        {"type": "ping"},
        more(0, "thinking_delta", thinking="Hm"),
        more(0, "thinking_delta", thinking="."),
        more(0, "signature_delta", signature="s1g"),
        stop(0),
        start(1, "text", text=""),
        more(1, "text_delta", text="Let me see."),
        stop(1),
        start(2, "tool_use", id="toolu_1", name="sql", input={}),
        more(2, "input_json_delta", partial_json=""),
        more(2, "input_json_delta", partial_json='{"q": '),
        start(3, "tool_use", id="toolu_2", name="now", input={}),
        more(2, "input_json_delta", partial_json="1}"),
        stop(2),
        stop(3),
        ended("tool_use", output_tokens=20),
        END,
    )
    assert found.message.parts == (
        Reasoning("Hm.", {"anthropic": {"signature": "s1g"}}),
        Text("Let me see."),
        ToolCall("toolu_1", "sql", '{"q": 1}'),
        ToolCall("toolu_2", "now", "{}"),
    )
    assert (found.stop, found.model, found.usage) == ("calls", "claude-x", Usage(9, 20))
    assert [delta for delta in deltas if not isinstance(delta, CallDelta)] == [
        ReasoningDelta("Hm"),
        ReasoningDelta("."),
        TextDelta("Let me see."),
    ]
    assert [delta for delta in deltas if isinstance(delta, CallDelta)] == [
        CallDelta(0, "sql", ""),
        CallDelta(0, "", ""),
        CallDelta(0, "", '{"q": '),
        CallDelta(1, "now", ""),
        CallDelta(0, "", "1}"),
    ]


def test_the_end_of_a_message_is_the_end_of_the_draft() -> None:
    draft = Draft()
    for event in (begun(), start(0, "text", text="Hi"), stop(0), ended("end_turn")):
        assert list(absorb(draft, event, ANTHROPIC)) == ([TextDelta("Hi")] if "content_block" in event else [])
        assert not draft.done
    list(absorb(draft, END, ANTHROPIC))
    assert (draft.done, draft.stop) == (True, "stop")


def test_a_stream_that_is_cut_has_no_reason_to_stop() -> None:
    draft = Draft()
    for event in (begun(input_tokens=1), start(0, "text", text="Hi")):
        list(absorb(draft, event, ANTHROPIC))
    assert draft.stop == ""


def test_a_whole_message_that_was_not_streamed() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s1g"},
        {"type": "text", "text": "Yes", "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "sql", "input": {"q": "é", "n": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ]
    found, deltas = answer(
        {"type": "message", "model": "claude-x", "content": content, "stop_reason": "tool_use", "usage": {}}
    )
    assert found.message.parts == (
        Reasoning("Hm.", {"anthropic": {"signature": "s1g"}}),
        Text("Yes"),
        ToolCall("toolu_1", "sql", '{"q": "é", "n": 1}'),
        ToolCall("toolu_2", "now", "{}"),
    )
    assert (found.stop, found.usage) == ("calls", Usage())
    assert deltas[:2] == [ReasoningDelta("Hm."), TextDelta("Yes")]


def test_an_answer_without_content() -> None:
    found, deltas = answer({"type": "message", "model": "m", "content": [], "stop_reason": "end_turn", "usage": {}})
    assert (found.message.parts, found.stop, deltas) == ((), "stop", [])


def test_thinking_that_nobody_may_read_is_kept_for_its_vendor() -> None:
    found, deltas = answer(
        start(0, "redacted_thinking", data="Eq=="), stop(0), start(1, "thinking", thinking="", signature="s"), END
    )
    assert found.message.parts == (
        Reasoning("", {"anthropic": {"redacted": "Eq=="}}),
        Reasoning("", {"anthropic": {"signature": "s"}}),
    )
    assert deltas == []


def test_a_search_of_the_vendors_own_is_no_call_and_is_kept_for_it() -> None:
    found, deltas = answer(
        start(0, "text", text="I look."),
        start(1, SEARCH["type"], **{key: value for key, value in SEARCH.items() if key != "type"}),
        more(1, "input_json_delta", partial_json='{"query": '),
        more(1, "input_json_delta", partial_json='"rain"}'),
        stop(1),
        start(2, FOUND["type"], **{key: value for key, value in FOUND.items() if key != "type"}),
        stop(2),
        start(3, "text", text="It rains"),
        more(3, "citations_delta", citation={"url": "https://example.org"}),
        more(3, "text_delta", text="."),
        ended("end_turn"),
        END,
    )
    assert found.message.parts == (
        Text("I look."),
        Reasoning("", {"anthropic": {"block": SEARCH | {"input": {"query": "rain"}}}}),
        Reasoning("", {"anthropic": {"block": FOUND}}),
        Text("It rains."),
    )
    assert (found.message.calls, found.stop) == ([], "stop")
    assert deltas == [TextDelta("I look."), TextDelta("It rains"), TextDelta(".")]


def test_broken_input_of_the_vendors_own_tool_is_left_out() -> None:
    found, _ = answer(
        start(0, "mcp_tool_use", id="m", name="x", input={}),
        more(0, "input_json_delta", partial_json='{"a'),
        stop(0),
        END,
    )
    assert found.message.parts == ()


def test_broken_arguments_stay_as_they_came() -> None:
    found, _ = answer(
        start(0, "tool_use", id="t", name="sql", input={}),
        more(0, "input_json_delta", partial_json='{"query": "SEL'),
        ended("max_tokens"),
        END,
    )
    assert found.message.calls == [ToolCall("t", "sql", '{"query": "SEL')]
    assert found.stop == "length"


def test_calls_without_an_id_or_with_the_same_one() -> None:
    found, _ = answer(
        *[start(at, "tool_use", name="now", input={}, id=call) for at, call in enumerate((None, "t", "t"))]
    )
    assert [call.id for call in found.message.calls] == ["call_1_0", "t", "call_1_2"]


def test_the_answer_in_the_shape_of_a_tool() -> None:
    found, deltas = answer(
        start(0, "tool_use", id="t", name="final_answer", input={}),
        more(0, "input_json_delta", partial_json='{"n": 1}'),
        ended("tool_use"),
        END,
        output="final_answer",
    )
    assert found.message.parts == (Text('{"n": 1}'),)
    assert (found.stop, deltas) == ("stop", [TextDelta('{"n": 1}')])


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "filter"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_the_reasons_to_stop(reason: str | None, meaning: str) -> None:
    found, _ = answer(start(0, "text", text="x"), ended(reason), END)
    assert found.stop == meaning


def test_usage_adds_what_the_cache_read_and_wrote() -> None:
    found, _ = answer(
        begun(input_tokens=10, cache_read_input_tokens=100, cache_creation_input_tokens=30, output_tokens=1),
        ended("end_turn", output_tokens=8),
        END,
    )
    assert found.usage == Usage(input=140, output=8, cached=100, cache_write=30)


def test_the_last_usage_counts_and_what_it_leaves_out_stays() -> None:
    found, _ = answer(
        begun(input_tokens=10, cache_read_input_tokens=5, output_tokens=1),
        ended(None, input_tokens=50, output_tokens=3, output_tokens_details={"thinking_tokens": 2}),
        ended("end_turn", output_tokens=8, input_tokens=None),
        END,
    )
    assert found.usage == Usage(input=55, output=8, cached=5, reasoning=2)


def test_a_failure_in_the_middle_is_told_with_its_status() -> None:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    with pytest.raises(Broken) as told:
        answer(begun(), {"type": "error", "error": error})
    assert told.value.error == error | {"code": 529}
    with pytest.raises(Broken) as told:
        answer({"error": {"message": "a gateway's own"}})
    assert told.value.error == {"message": "a gateway's own"}


def test_events_of_an_unknown_kind_add_nothing() -> None:
    found, deltas = answer({"type": "weather"}, {}, more(0, "weather_delta", rain=1), stop(7))
    assert (found.message.parts, deltas) == ((), [])


@pytest.mark.parametrize(
    "event",
    [
        [],
        "text",
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
        more(0, "text_delta", text=5),
        more(0, "thinking_delta", thinking=["x"]),
        start(0, "text", text={}),
        {"type": "content_block_start", "index": 0, "content_block": None},
        {"type": "content_block_start", "index": [], "content_block": {"type": "text"}},
        {"type": "message_start", "message": "hello"},
        {"type": "message", "content": 5},
        ended(["end_turn"]),  # type: ignore[arg-type]  # wrong on purpose
        {"type": "message_delta", "usage": [1]},
    ],
)
def test_a_value_of_another_shape_is_one_clear_refusal(event: Any) -> None:
    with pytest.raises((AttributeError, TypeError, LookupError, ValueError)):
        answer(event)


def ask(*replies: Reply) -> tuple[Answer | ModelError, Any]:
    """What our model makes of what a server replies, and the request that the server got."""

    async def run(url: str) -> Answer | ModelError:
        model = RemoteModel(ANTHROPIC, "claude-x", url, "sk-ant-1234567890")
        try:
            (found,) = [item async for item in model.stream(Request([messages.user("Hi")])) if isinstance(item, Answer)]
            return found
        except ModelError as error:
            return error
        finally:
            await model.aclose()

    with chat_server(replies) as server:
        return asyncio.run(run(server.url)), server.requests[0]


HELLO = [begun(input_tokens=3), start(0, "text", text=""), more(0, "text_delta", text="Hello"), stop(0)]


def test_over_a_connection_the_answer_ends_with_its_message() -> None:
    found, received = ask(
        Reply([server_side.event(item) for item in [*HELLO, ended("end_turn", output_tokens=2), END]])
    )
    assert isinstance(found, Answer)
    assert (found.message.text, found.stop, found.usage) == ("Hello", "stop", Usage(3, 2))
    assert received.path.endswith("/v1/messages")
    assert received.headers["x-api-key"] == "sk-ant-1234567890"
    assert (received.headers["anthropic-version"], "authorization" in received.headers) == ("2023-06-01", False)


def test_over_a_connection_a_failure_in_the_middle_can_be_asked_again() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    found, _ = ask(Reply([server_side.event(item) for item in [*HELLO, overloaded]]))
    assert isinstance(found, ModelError)
    assert (found.status, found.retryable, "Overloaded" in str(found)) == (529, True, True)
    wrong = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too large"}}
    found, _ = ask(Reply([server_side.event(item) for item in [*HELLO, wrong]]))
    assert isinstance(found, ModelError)
    assert (found.status, found.retryable) == (400, False)


def test_over_a_connection_a_stream_that_breaks_off_is_no_answer() -> None:
    found, _ = ask(Reply([server_side.event(item) for item in HELLO], cut=True))
    assert isinstance(found, ModelError)
    assert found.retryable
    found, _ = ask(Reply([server_side.event(item) for item in HELLO]))
    assert isinstance(found, ModelError)


def test_over_a_connection_a_refused_key_is_not_told() -> None:
    body = {
        "type": "error",
        "error": {"type": "authentication_error", "message": "invalid x-api-key sk-ant-1234567890"},
    }
    found, _ = ask(Reply([json.dumps(body).encode()], 401, "application/json"))
    assert isinstance(found, ModelError)
    assert (found.status, found.retryable, "sk-ant" in str(found)) == (401, False, False)


WORDS = st.text(max_size=12)
BLOCKS = st.one_of(
    st.tuples(st.just("text"), st.lists(WORDS, max_size=4)),
    st.tuples(st.just("thinking"), st.lists(WORDS, max_size=4)),
    st.tuples(st.just("tool_use"), st.lists(WORDS, max_size=4)),
)
DELTAS = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool_use": ("input_json_delta", "partial_json"),
}


@settings(deadline=None, max_examples=60)
@given(st.lists(BLOCKS, max_size=4), st.data())
def test_any_chunking_of_a_stream_gives_the_same_message(blocks: list[tuple[str, list[str]]], data: Any) -> None:
    events: list[Any] = [begun(input_tokens=3)]
    for at, (kind, pieces) in enumerate(blocks):
        fields = {"id": f"t{at}", "name": "sql", "input": {}} if kind == "tool_use" else {}
        events.append(start(at, kind, **fields))
        delta, name = DELTAS[kind]
        events.extend(more(at, delta, **{name: piece}) for piece in pieces)
        events.extend([stop(at), {"type": "ping"}])
    events += [ended("end_turn", output_tokens=4), END]
    lines = [f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}   \n\n" for event in events]
    stream = "".join(lines).encode("utf-8", "replace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    tail = Tail()
    payloads = [payload for chunk in chunks for payload in split(chunk, tail)] + rest(tail)
    found, _ = answer(*[json.loads(payload) for payload in payloads])
    told = [(kind, "".join(pieces)) for kind, pieces in blocks]
    assert [(type(part), text_of(part)) for part in found.message.parts] == [
        {"text": (Text, words), "thinking": (Reasoning, words), "tool_use": (ToolCall, words or "{}")}[kind]
        for kind, words in told
        if words or kind == "tool_use"
    ]
    assert found.usage == Usage(3, 4)


def text_of(part: Any) -> str:
    return str(part.arguments if isinstance(part, ToolCall) else part.text)
