"""From what Gemini sends to a message, streamed or whole."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.chat_server import Received, Reply, chat_server, event

from assent.core import messages
from assent.core.errors import ModelError
from assent.core.messages import Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Answer, CallDelta, OutputSchema, ReasoningDelta, Request, TextDelta, ToolSpec, Usage
from assent.models.endpoints import ENDPOINTS
from assent.models.http import Reply as HttpReply
from assent.models.remote import RemoteModel, payloads
from assent.models.wires.draft import Draft, finish
from assent.models.wires.gemini import UNSIGNED
from assent.models.wires.gemini_stream import FAILED, FILTERED, absorb, read_usage
from assent.models.wires.wire import Broken

GEMINI = next(row for row in ENDPOINTS if row.name == "gemini")
SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})
KEY = "AIzaSy-test-0123456789"


def answer(*chunks: Any, draft: Draft | None = None) -> Any:
    draft = draft or Draft()
    deltas = [delta for chunk in chunks for delta in absorb(draft, chunk, GEMINI)]
    return finish(draft, "call_1", "gemini"), deltas


def chunk(*parts: dict[str, Any], stop: str = "", **fields: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": stop} if stop else {})], **fields}


def call(name: str, args: Any = None, **fields: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, **({} if args is None else {"args": args})}, **fields}


def kept(**values: str) -> dict[str, dict[str, str]]:
    return {"gemini": values}


def test_text_and_thoughts_come_as_they_are_written() -> None:
    found, deltas = answer(
        chunk({"text": "Let me ", "thought": True}),
        chunk({"text": "see.", "thought": True}),
        chunk({"text": "Forty"}),
        chunk({"text": "-two"}, stop="STOP", modelVersion="gemini-2.5-flash"),
    )
    assert found.message.parts == (Reasoning("Let me see."), Text("Forty-two"))
    assert deltas == [ReasoningDelta("Let me "), ReasoningDelta("see."), TextDelta("Forty"), TextDelta("-two")]
    assert (found.stop, found.model) == ("stop", "gemini-2.5-flash")


def test_thoughts_between_words_stay_where_they_were() -> None:
    found, _ = answer(chunk({"text": "a"}, {"text": "b", "thought": True}, {"text": "c"}), chunk({"text": "d"}))
    assert found.message.parts == (Text("a"), Reasoning("b"), Text("cd"))


def test_parallel_calls_come_whole_and_get_ids() -> None:
    found, deltas = answer(
        chunk(call("sql", {"query": "é"}, thoughtSignature="s"), call("now")), chunk(call("sql", {}), stop="STOP")
    )
    assert found.message.calls == [
        ToolCall("call_1_0", "sql", '{"query": "é"}', kept(thoughtSignature="s")),
        ToolCall("call_1_1", "now", "{}"),
        ToolCall("call_1_2", "sql", "{}"),
    ]
    assert deltas[1:] == [CallDelta(1, "now", "{}"), CallDelta(2, "sql", "{}")]
    assert found.stop == "calls"


def test_an_id_that_gemini_gave_is_remembered() -> None:
    found, _ = answer(chunk({"functionCall": {"id": "fc-1", "name": "sql", "args": {}}}))
    assert found.message.calls == [ToolCall("fc-1", "sql", "{}", kept(id="fc-1"))]


def test_a_signature_stays_with_the_words_it_came_with() -> None:
    found, _ = answer(
        chunk({"text": "a"}),
        chunk({"text": "b", "thoughtSignature": "s1"}),
        chunk({"text": "c"}, {"text": "d", "thoughtSignature": "s2"}, {"text": "e", "thoughtSignature": "s3"}),
    )
    assert found.message.parts == (
        Text("a"),
        Text("b", kept(thoughtSignature="s1")),
        Text("c"),
        Text("d", kept(thoughtSignature="s2")),
        Text("e", kept(thoughtSignature="s3")),
    )


@pytest.mark.parametrize("last", [{"text": "", "thoughtSignature": "s"}, {"thoughtSignature": "s"}])
def test_a_signature_that_comes_alone_belongs_to_the_words_before_it(last: dict[str, Any]) -> None:
    found, deltas = answer(chunk({"text": "Forty"}), chunk({"text": "-two"}), chunk(last, stop="STOP"))
    assert found.message.parts == (Text("Forty-two", kept(thoughtSignature="s")),)
    assert len(deltas) == 2


def test_a_signature_without_words_of_its_kind_before_it_is_kept_for_itself() -> None:
    found, _ = answer(
        chunk({"text": "Hm.", "thought": True}, {"text": "", "thought": True, "thoughtSignature": "a"}),
        chunk({"text": "", "thoughtSignature": "b"}),
        chunk(call("now"), {"text": "", "thoughtSignature": "c"}),
    )
    assert found.message.parts == (
        Reasoning("Hm.", kept(thoughtSignature="a")),
        Text("", kept(thoughtSignature="b")),
        ToolCall("call_1_0", "now", "{}"),
        Text("", kept(thoughtSignature="c")),
    )


def test_an_answer_by_tool_is_text_without_the_signature_of_the_call() -> None:
    found, deltas = answer(
        chunk({"text": "Well."}, call("final_answer", {"n": 1}, thoughtSignature="s"), stop="STOP"),
        draft=Draft(output="final_answer"),
    )
    assert found.message.parts == (Reasoning("Well."), Text('{"n": 1}'))
    assert deltas == [TextDelta("Well."), TextDelta('{"n": 1}')]
    assert found.stop == "stop"


def test_what_runs_and_draws_at_the_vendors_is_left_out() -> None:
    found, _ = answer(
        chunk(
            {"text": "I compute."},
            {"executableCode": {"language": "PYTHON", "code": "print(6 * 7)"}, "thoughtSignature": "s"},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42"}},
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
            {"fileData": {"fileUri": "x"}},
            {},
            {"text": " It is 42."},
            stop="STOP",
            groundingMetadata={"webSearchQueries": ["q"]},
        )
    )
    assert found.message.parts == (Text("I compute. It is 42."),)


@pytest.mark.parametrize(
    "empty",
    [
        {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]},
        {"candidates": [{"content": {}, "finishReason": "STOP"}]},
        {"candidates": [{"content": {"parts": None}, "finishReason": "STOP"}]},
        {"candidates": [{"finishReason": "STOP"}]},
        chunk({"text": ""}, stop="STOP"),
    ],
)
def test_an_empty_answer(empty: dict[str, Any]) -> None:
    found, deltas = answer(empty)
    assert (found.message.parts, found.stop, deltas) == ((), "stop", [])


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("OTHER", "stop"),
        *[(reason, "filter") for reason in sorted(FILTERED)],
    ],
)
def test_the_reasons_to_stop(reason: str, stop: str) -> None:
    assert answer(chunk({"text": "x"}, stop=reason))[0].stop == stop


def test_the_last_reason_counts_and_an_unspecified_one_is_none() -> None:
    assert answer(chunk({"text": "x"}, stop="STOP"), chunk({"text": "y"}, stop="MAX_TOKENS"))[0].stop == "length"
    draft = Draft()
    list(absorb(draft, chunk({"text": "x"}, stop="FINISH_REASON_UNSPECIFIED"), GEMINI))
    assert draft.stop == ""


@pytest.mark.parametrize("reason", sorted(FAILED))
def test_a_call_that_gemini_could_not_write_is_a_failure(reason: str) -> None:
    failed = chunk(stop=reason)
    failed["candidates"][0]["finishMessage"] = "print(default_api.sql("
    with pytest.raises(Broken) as caught:
        answer(chunk({"text": "Let me"}), failed)
    assert caught.value.error == {"message": f"it ended with {reason}: print(default_api.sql("}


def test_an_answer_that_was_not_streamed_or_came_as_one_list() -> None:
    first, last = chunk({"text": "Hi"}), chunk({"text": " you"}, stop="STOP", usageMetadata={"promptTokenCount": 3})
    for chunks in ([chunk({"text": "Hi you"}, stop="STOP", usageMetadata={"promptTokenCount": 3})], [[first, last]]):
        found, _ = answer(*chunks)
        assert (found.message.text, found.usage.input, found.stop) == ("Hi you", 3, "stop")


def test_usage() -> None:
    full = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 7,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 30,
        "cachedContentTokenCount": 64,
        "totalTokenCount": 157,
    }
    assert read_usage(full) == Usage(107, 50, 64, 30)
    assert read_usage({"promptTokenCount": 9, "thoughtsTokenCount": 5}) == Usage(9, 5, None, 5)
    assert read_usage({"promptTokenCount": 9, "totalTokenCount": 9}) == Usage(9, 0)
    assert read_usage({"promptTokenCount": "9"}) == Usage()


def test_the_last_usage_counts() -> None:
    found, _ = answer(
        chunk({"text": "a"}, usageMetadata={"promptTokenCount": 15}),
        chunk({"text": "b"}, usageMetadata={"promptTokenCount": 13, "candidatesTokenCount": 8}),
        chunk(stop="STOP"),
    )
    assert found.usage == Usage(13, 8)


@pytest.mark.parametrize(
    "shape", [7, "x", {"candidates": 5}, {"candidates": [5]}, chunk({"text": 5}), chunk({"functionCall": []}), [None]]
)
def test_another_shape_is_told_by_its_error(shape: Any) -> None:
    with pytest.raises((AttributeError, TypeError, LookupError, ValueError)):
        answer(shape)


WORDS = st.text(max_size=5)
SIGNED = st.one_of(st.just({}), st.builds(lambda text: {"thoughtSignature": text}, st.text(min_size=1, max_size=3)))
PARTS = st.one_of(
    st.builds(lambda text, more, thought: {"text": text, **more, **thought}, WORDS, SIGNED,
              st.sampled_from([{}, {"thought": True}, {"thought": False}])),
    st.builds(lambda name, args, more: call(name, args, **more), st.sampled_from(["sql", "now"]),
              st.dictionaries(WORDS, WORDS, max_size=2), SIGNED),
)  # fmt: skip
STREAMS = st.lists(st.lists(PARTS, max_size=3), max_size=5)


def heard(pieces: list[bytes]) -> Answer:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def run() -> list[Any]:
        return [json.loads(payload) async for payload in payloads(HttpReply("text/event-stream", chunks()))]

    found: Answer = answer(*asyncio.run(run()))[0]
    return found


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(1, 40), max_size=30), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_any_chunking_gives_the_same_message(stream: Any, sizes: list[int], newline: bytes, ascii: bool) -> None:
    chunks = [*[chunk(*parts) for parts in stream], chunk(stop="STOP", usageMetadata={"promptTokenCount": 1})]
    body = b"".join([b"data: " + json.dumps(one, ensure_ascii=ascii).encode() + newline * 2 for one in chunks])
    pieces = []
    for size in sizes:
        pieces.append(body[:size])
        body = body[size:]
    assert heard([*pieces, body]) == answer(*chunks)[0]


@settings(deadline=None)
@given(STREAMS)
def test_streamed_or_whole_all_words_calls_and_signatures_are_kept_in_order(stream: Any) -> None:
    parts = [part for chunk_parts in stream for part in chunk_parts]
    streamed, whole = answer(*[chunk(*one) for one in stream])[0], answer(chunk(*parts))[0]
    assert streamed.message == whole.message
    assert whole.message.text == "".join([part["text"] for part in parts if "text" in part and not part.get("thought")])
    assert [found.name for found in whole.message.calls] == [
        part["functionCall"]["name"] for part in parts if "functionCall" in part
    ]
    signatures = [(getattr(part, "extra", None) or {}).get("gemini", {}) for part in whole.message.parts]
    assert [extra["thoughtSignature"] for extra in signatures if extra] == [
        part["thoughtSignature"] for part in parts if "thoughtSignature" in part
    ]


def ask(url: str, *conversation: Message, model: str = "gemini-3-flash-preview", **fields: Any) -> list[Any]:
    async def run() -> list[Any]:
        remote = RemoteModel(GEMINI, model, url, KEY, 10)
        try:
            return [item async for item in remote.stream(Request(conversation or [messages.user("?")], **fields))]
        finally:
            await remote.aclose()

    return asyncio.run(run())


def failure(reply: Reply) -> ModelError:
    with chat_server([reply]) as server, pytest.raises(ModelError) as caught:
        ask(server.url)
    assert KEY not in str(caught.value)
    return caught.value


def test_a_run_of_two_steps_over_http() -> None:
    thinking = event(chunk({"text": "Hm.", "thought": True}))
    asks = event(chunk(call("sql", {"query": "SELECT 1"}, thoughtSignature="s1"), stop="STOP"))
    says = [event(chunk({"text": "One"})), event(chunk({"text": "", "thoughtSignature": "s2"}, stop="STOP"))]
    with chat_server([Reply([thinking, asks]), Reply(says)]) as server:
        asked = ask(server.url, messages.user("?"), tools=[SQL])[-1].message
        done = messages.results([ToolResult(asked.calls[0].id, "sql", "1")])
        told = ask(server.url, messages.user("?"), asked, done, tools=[SQL])[-1]
    assert told.message.parts == (Text("One", kept(thoughtSignature="s2")),)
    first, second = server.requests
    assert first.path == "/v1/models/gemini-3-flash-preview:streamGenerateContent?alt=sse"
    assert first.headers["x-goog-api-key"] == KEY
    assert "authorization" not in first.headers
    assert second.body["contents"][1:] == [
        {"role": "model", "parts": [call("sql", {"query": "SELECT 1"}, thoughtSignature="s1")]},
        {"role": "user", "parts": [{"functionResponse": {"name": "sql", "response": {"output": "1"}}}]},
    ]


def test_a_run_that_another_vendor_began_goes_on() -> None:
    def script(received: Received) -> Reply:
        calls = [part for turn in received.body["contents"] for part in turn["parts"] if "functionCall" in part]
        if any("thoughtSignature" not in part or "id" in part["functionCall"] for part in calls):
            error = {
                "code": 400,
                "message": "Function call is missing a thought_signature",
                "status": "INVALID_ARGUMENT",
            }
            return Reply([json.dumps({"error": error}).encode()], 400, "application/json")
        return Reply([event(chunk({"text": "344"}, stop="STOP"))])

    thought = Reasoning("Hm.", {"anthropic": {"signature": "theirs"}})
    begun = messages.assistant(thought, ToolCall("toolu_1", "sql", '{"query": "SELECT 1"}'))
    done = messages.results([ToolResult("toolu_1", "sql", "344")])
    with chat_server(script) as server:
        assert ask(server.url, messages.user("?"), begun, done)[-1].message.text == "344"
    assert server.requests[0].body["contents"][1]["parts"][0]["thoughtSignature"] == UNSIGNED


def test_an_answer_that_fits_a_schema_comes_by_tool() -> None:
    output = OutputSchema("answer", {"type": "object", "properties": {"n": {"type": "integer"}}})
    with chat_server([Reply([event(chunk(call("final_answer", {"n": 3}), stop="STOP"))])]) as server:
        found = ask(server.url, output=output)[-1]
    assert (found.message.text, found.message.calls, found.stop) == ('{"n": 3}', [], "stop")
    sent = server.requests[0].body
    assert sent["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
    assert sent["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == output.schema


def test_an_answer_without_its_end_was_cut() -> None:
    assert "broke off in the middle" in str(failure(Reply([event(chunk({"text": "Forty"}))])))


def test_a_blocked_question_says_so_and_is_not_asked_again() -> None:
    error = failure(Reply([event({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {}})]))
    assert "the question was blocked (PROHIBITED_CONTENT)" in str(error)
    assert "choose another model" in str(error)
    assert not error.retryable


def test_an_answer_that_failed_may_be_asked_for_again() -> None:
    error = failure(Reply([event(chunk(stop="MALFORMED_FUNCTION_CALL"))]))
    assert "MALFORMED_FUNCTION_CALL" in str(error)
    assert error.retryable
    assert not failure(Reply([event(chunk(stop="MISSING_THOUGHT_SIGNATURE"))])).retryable


@pytest.mark.parametrize("listed", [False, True])
def test_an_error_in_the_stream_is_told(listed: bool) -> None:
    said = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    error = failure(Reply([event(chunk({"text": "Forty"})), event([said] if listed else said)]))
    assert "The model is overloaded" in str(error)
    assert (error.status, error.retryable) == (503, True)


@pytest.mark.parametrize("listed", [False, True])
def test_an_error_for_the_whole_answer_is_told(listed: bool) -> None:
    said = {"error": {"code": 400, "message": f"API key not valid: {KEY}", "status": "INVALID_ARGUMENT"}}
    error = failure(Reply([json.dumps([said] if listed else said).encode()], 400, "application/json"))
    assert str(error) == (
        "Google Gemini rejected the request (HTTP 400: API key not valid: [key]): correct it, or choose another model."
    )
