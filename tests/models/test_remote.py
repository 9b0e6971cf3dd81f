"""A model behind HTTP: a real server on loopback."""

import asyncio
import json
import socket
import threading
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_server import DONE, ChatServer, Reply, calls, chat_server, chunk, event, says
from tests.support.hearing import heard

from assent.core import messages
from assent.core.errors import ConfigError, ModelError
from assent.core.messages import Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Answer, CallDelta, Request, TextDelta, ToolSpec, Usage
from assent.models import endpoints
from assent.models.http import Reply as HttpReply
from assent.models.remote import RemoteModel, payloads
from assent.models.wires.chat_stream import absorb
from assent.models.wires.draft import Draft, finish

KEY = "sk-test-0123456789abcdef"
OPENAI = endpoints.ENDPOINTS[0]
SQL = ToolSpec("sql", "Query.", {"type": "object", "properties": {"query": {"type": "string"}}})
ASK = Request([messages.system("Be brief."), messages.user("How many?")], [SQL])


def ask(url: str, request: Request = ASK, key: str = KEY, silence: float = 10.0) -> list[Any]:
    return heard(RemoteModel(OPENAI, "gpt-test", url, key, silence), request)


def failure(reply: Reply | None = None, url: str = "", **options: Any) -> ModelError:
    with chat_server([reply] if reply else []) as server, pytest.raises(ModelError) as caught:
        ask(url or server.url, **options)
    error = caught.value
    assert KEY not in str(error)
    assert "\n" not in str(error)
    return error


def test_text_streams_and_ends_with_the_answer() -> None:
    with chat_server([says("There are 344 penguins.")]) as server:
        *deltas, answer = ask(server.url)
    assert "".join(delta.text for delta in deltas) == "There are 344 penguins."
    assert len(deltas) == 3
    assert answer == Answer(messages.assistant(Text("There are 344 penguins.")), Usage(7, 3), "stop", "test-1")


def test_the_request_is_what_the_format_asks_for() -> None:
    conversation = [
        *ASK.messages,
        messages.assistant(Text("I look."), ToolCall("c0", "sql", '{"query": "SELECT 1"}')),
        messages.results([ToolResult("c0", "sql", "1"), ToolResult("c1", "sql", "2")]),
    ]
    request = replace(ASK, messages=conversation, temperature=0.5, max_tokens=99, tool_choice="sql")
    with chat_server([says("ok")]) as server:
        ask(server.url, request)
        (received,) = server.requests
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.body == {
        "model": "gpt-test",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_completion_tokens": 99,
        "tool_choice": {"type": "function", "function": {"name": "sql"}},
        "tools": [{"type": "function", "function": {"name": "sql", "description": "Query.", "parameters": SQL.schema}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How many?"},
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [
                    {"id": "c0", "type": "function", "function": {"name": "sql", "arguments": '{"query": "SELECT 1"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c0", "content": "1"},
            {"role": "tool", "tool_call_id": "c1", "content": "2"},
        ],
    }


def test_tool_calls_stream() -> None:
    with chat_server([calls(("sql", '{"query":"SELECT 1"}'), ("sql", '{"query":"SELECT 2"}'))]) as server:
        *deltas, answer = ask(server.url)
    assert answer.stop == "calls"
    assert [call.arguments for call in answer.message.calls] == ['{"query":"SELECT 1"}', '{"query":"SELECT 2"}']
    assert deltas[0] == CallDelta(0, "sql", "")


def test_one_connection_serves_many_requests_and_another_loop() -> None:
    with chat_server(lambda received: says("ok")) as server:
        model = RemoteModel(OPENAI, "m", server.url, KEY)

        async def run() -> list[str]:
            answers = [[item async for item in model.stream(ASK)][-1] for _ in range(3)]
            await model.aclose()
            return [answer.message.text for answer in answers]

        assert asyncio.run(run()) + asyncio.run(run()) == ["ok"] * 6


def test_a_hundred_and_fifty_requests_at_once() -> None:
    release = threading.Event()
    waiting = threading.Semaphore(0)

    def script(received: Any) -> Reply:
        waiting.release()
        return replace(says("ok"), hold=None if release.is_set() else release)

    async def run(server: ChatServer) -> list[str]:
        model = RemoteModel(OPENAI, "m", server.url, KEY)

        async def one() -> str:
            return [item async for item in model.stream(ASK)][-1].message.text

        tasks = [asyncio.ensure_future(one()) for _ in range(150)]
        while len(server.requests) < 150:  # no answer has come: all of them are under way together
            await asyncio.to_thread(waiting.acquire, timeout=5)
        release.set()
        answers = await asyncio.gather(*tasks)
        await model.aclose()
        return answers

    with chat_server(script) as server:
        assert asyncio.run(run(server)) == ["ok"] * 150


def test_closing_the_stream_hangs_up() -> None:
    async def run(server: ChatServer) -> None:
        model = RemoteModel(OPENAI, "m", server.url, KEY)
        stream = model.stream(ASK)
        assert await anext(stream) == TextDelta("wait")
        await stream.aclose()  # type: ignore[attr-defined]  # the protocol says iterator, ours is a generator
        assert await asyncio.to_thread(server.left.wait, 5)
        await model.aclose()

    with chat_server([Reply([chunk({"content": "wait"}), DONE], hold=threading.Event())]) as server:
        asyncio.run(run(server))


STREAM = b"".join(
    [
        b": ping\r\n\r\n",
        chunk({"reasoning_content": "Ünd"}),
        chunk({"content": "Zażółć "}).replace(b"\n", b"\r\n"),
        chunk({"content": "🐧"}),
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "sql", "arguments": '{"query":'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"é"}'}}]}),
        chunk({}, "tool_calls"),
        chunk(usage={"prompt_tokens": 9, "completion_tokens": 4}),
        DONE.rstrip(),
    ]
)
MESSAGE = messages.assistant(Reasoning("Ünd"), Text("Zażółć 🐧"), ToolCall("a", "sql", '{"query":"é"}'))


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_any_chunking_gives_the_same_message(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]

    async def pieces() -> Any:
        for start, end in pairwise(edges):
            yield STREAM[start:end]

    async def run() -> Answer:
        draft = Draft()
        async for payload in payloads(HttpReply("text/event-stream", pieces())):
            if payload != b"[DONE]":
                list(absorb(draft, json.loads(payload), OPENAI))
        return finish(draft, "call", "openai")

    assert asyncio.run(run()) == Answer(MESSAGE, Usage(9, 4), "calls", "test-1")


def test_half_characters_over_the_wire() -> None:
    bytewise = [STREAM[at : at + 1] for at in range(len(STREAM))]
    with chat_server([Reply(bytewise)]) as server:
        assert ask(server.url)[-1].message == MESSAGE


@pytest.mark.parametrize("ending", [[chunk({}, "stop")], [DONE], [chunk({}, "stop"), chunk(usage={}), DONE]])
def test_done_or_a_finish_reason_ends_an_answer(ending: list[bytes]) -> None:
    with chat_server([Reply([chunk({"content": "Hi"}), *ending])]) as server:
        assert ask(server.url)[-1].message.text == "Hi"


def test_an_answer_in_one_piece_of_json() -> None:
    whole = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    reply = Reply([json.dumps(whole).encode()], content_type="application/json; charset=utf-8")
    with chat_server([reply]) as server:
        assert ask(server.url)[-1].message.text == "Hi"


@pytest.mark.parametrize(
    ("status", "says", "does", "retryable"),
    [
        (400, "rejected the request (HTTP 400: no such field)", "correct it", False),
        (401, "refused the key (HTTP 401)", "OPENAI_API_KEY", False),
        (402, "asks for payment", "add credit", False),
        (403, "does not allow this (HTTP 403: no such field)", "OPENAI_API_KEY", False),
        (404, "has no model 'gpt-test'", "choose another", False),
        (413, "too long", "new run", False),
        (429, "limiting requests", "run again in 20 s", True),
        (500, "a fault of its own", "later", True),
        (503, "a fault of its own", "later", True),
        (307, "redirects elsewhere", "base URL", False),
    ],
)
def test_a_status_becomes_one_sentence(status: int, says: str, does: str, retryable: bool) -> None:
    body = json.dumps({"error": {"message": "no such\nfield."}}).encode()
    error = failure(Reply([body], status, "application/json", {"Retry-After": "20"}))
    assert says in str(error)
    assert does in str(error)
    assert (error.status, error.retryable) == (status, retryable)


def test_a_key_that_the_vendor_repeats_is_not_shown() -> None:
    said = f"Incorrect API key provided: {KEY} (also seen: sk-proj-*****wxyz)"
    error = failure(Reply([json.dumps({"error": {"message": said}}).encode()], 400, "application/json"))
    assert "[key] (also seen: [key])" in str(error)


def test_a_page_instead_of_an_answer() -> None:
    error = failure(Reply([b"<html>Welcome</html>"], content_type="text/html"))
    assert "something other than a model's answer" in str(error)
    assert "base URL" in str(error)
    assert "base URL" in str(failure(Reply([b"OK"], content_type="text/plain")))
    assert "(HTTP 502)" in str(failure(Reply([b"<html>Bad gateway</html>"], 502, "text/html")))


@pytest.mark.parametrize("strange", [[1], {"choices": [7]}, {"choices": [{"delta": {"tool_calls": ["x"]}}]}])
def test_json_of_another_shape(strange: Any) -> None:
    assert "something other than a model's answer" in str(failure(Reply([event(strange), DONE])))


def test_a_stream_that_is_cut_off() -> None:
    cut = failure(Reply([chunk({"content": "Half an ans"})], cut=True))
    assert "broke off" in str(cut)
    assert cut.retryable
    assert "broke off" in str(failure(Reply([chunk({"content": "Half"})])))
    assert "broke off" in str(failure(Reply([chunk({"content": "Half"}), b'data: {"choices": [{"del'])))


def test_an_error_in_the_middle_of_a_stream() -> None:
    error = failure(Reply([chunk({"content": "Hm"}), event({"error": {"message": "overloaded", "code": 529}})]))
    assert "overloaded" in str(error)
    assert (error.status, error.retryable) == (529, True)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:geheim@127.0.0.1:{taken.getsockname()[1]}/v1"
        error = failure(url=url)
    assert "could not be reached at http://127.0.0.1:" in str(error)
    assert "(connection refused)" in str(error)
    assert "geheim" not in str(error)
    assert error.retryable


def test_a_server_that_falls_silent() -> None:
    error = failure(Reply([chunk({"content": "Hm"}), DONE], hold=threading.Event()), silence=0.2)
    assert "sent nothing for 0.2 seconds" in str(error)


@pytest.mark.parametrize("key", ["line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_sent(key: str) -> None:
    with pytest.raises(ModelError, match="OPENAI_API_KEY holds characters") as caught:
        RemoteModel(OPENAI, "m", "http://127.0.0.1:1/v1", key)
    assert key not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8000/v1", "http://", "", "http://[::1/v1"])
def test_a_base_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="write it like http://localhost:8000/v1"):
        RemoteModel(OPENAI, "m", url)


def test_no_key_no_header() -> None:
    with chat_server([says("ok")]) as server:
        ask(server.url, key="")
        assert "authorization" not in server.requests[0].headers
