"""A server that misbehaves in a vendor's own format; and answers that are whole, with something odd in them."""

import asyncio
import json
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.chat_server import DONE, calls, chunk, says
from tests.support.faults import Behaviour, answers, chunked, endless, faulty, head, whole
from tests.support.vendors import vendor
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core import messages
from assent.core.agent import Agent
from assent.core.commands import ResumeRun
from assent.core.config import Config
from assent.core.errors import ModelError
from assent.core.messages import ToolResult
from assent.core.model import Request
from assent.models import endpoints
from assent.models.remote import RemoteModel
from assent.runs.result import Result
from assent.tools.tool import tool

pytestmark = pytest.mark.slow

KEY = "sk-test-0123456789abcdef"
CONFIG = Config(models={"default": {"attempts": 1}})
STREAMED = {"Transfer_Encoding": "chunked"}


def sent(*values: Any) -> bytes:
    return b"".join(
        [
            b"event: %s\n" % value.get("type", "x").encode() + b"data: " + json.dumps(value).encode() + b"\n\n"
            for value in values
        ]
    )


ANTHROPIC = (
    {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 7}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "All is "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "well."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
)  # fmt: skip


def gemini(text: str, **fields: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **fields}]}


GEMINI = (gemini("All "), gemini("is "), gemini("well."), gemini("", finishReason="STOP"))
SAID = [{"type": "output_text", "text": "All is well."}]
ITEM = {"type": "message", "id": "i", "role": "assistant", "status": "completed", "content": SAID}
RESPONSES = (
    {"type": "response.created", "response": {"id": "r", "status": "in_progress", "output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "status": "in_progress", "content": []}},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "i", "delta": "All is "},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "i", "delta": "well."},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": [ITEM], "usage": {}}},
)
STREAMS = {"anthropic": ANTHROPIC, "gemini": GEMINI, "openai-responses": RESPONSES}
PINGS = {"anthropic": sent({"type": "ping"}), "gemini": sent({}), "openai-responses": sent({"type": "keepalive"})}


def faults(name: str) -> dict[str, tuple[Behaviour, str]]:
    values = STREAMS[name]
    half, begun = sent(*values[:3]), head(**STREAMED)
    return {
        "cut": (answers(begun, chunked([half])), "broke off in the middle of its answer"),
        "ended early": (answers(whole(half)), "broke off in the middle of its answer"),
        "no JSON": (answers(whole(half + b"data: {]\n\n")), "what came is no JSON"),
        "half a character": (answers(whole(half + b'data: {"type": "ping", "x": "\xc3"}\n\n')), "what came is no JSON"),
        "pings for ever": (endless(begun + chunked([half]), PINGS[name]), "signs of life only"),
        "a list": (answers(whole(sent(*values[:2]) + b"data: [1]\n\n")), "other than a model's answer"),
        "nothing in it": (answers(whole(b"{}", kind="application/json")), "without anything in it|other than a"),
        "529": (answers(whole(b'{"error": {"message": "busy"}}', "529 X", "application/json")), "HTTP 529: busy"),
        "a page": (answers(whole(b"<html>", kind="text/html")), "other than a model's answer"),
    }  # fmt: skip


CASES = [(name, fault) for name in STREAMS for fault in faults(name)]


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_a_run_fails_clearly_and_goes_on_once_the_server_behaves(name: str, fault: str, tmp_path: Path) -> None:
    behaviour, said = faults(name)[fault]

    async def run(base: str) -> tuple[Result, Result]:
        model = RemoteModel(vendor(name), "m", base, KEY, 0.5)
        async with Session(prepare(tmp_path), config=CONFIG, models=[model]) as session:
            failed = await session.run(Agent(tools=()), "Go.")
            assert KEY not in str(session.journal.events(failed.run))
            return failed, await session.drain(ResumeRun(failed.run))

    with faulty(behaviour, answers(whole(sent(*STREAMS[name])))) as server:
        began = time.monotonic()
        failed, resumed = asyncio.run(run(server.url))
        assert time.monotonic() - began < 5
    assert failed.status == "failed"
    assert re.search(said, failed.reason), failed.reason
    assert "\n" not in failed.reason
    assert (resumed.status, resumed.text) == ("finished", "All is well.")


@pytest.mark.parametrize("name", STREAMS)
def test_a_connection_serves_one_answer_after_the_other(name: str) -> None:
    async def run(base: str) -> list[str]:
        model = RemoteModel(vendor(name), "m", base, KEY)
        request = Request([messages.user("Hi")])
        streams: list[list[Any]] = [[item async for item in model.stream(request)] for _ in range(3)]
        await model.aclose()
        return [items[-1].message.text for items in streams]

    with faulty(answers(whole(sent(*STREAMS[name])), keep=True)) as server:
        assert asyncio.run(run(server.url)) == ["All is well."] * 3
        assert server.connections == 1


@tool(privilege="read_only")
def double(x: int) -> str:
    return f"doubled: {2 * x}"


def ran(folder: Path, *behaviours: Behaviour) -> tuple[Result, list[ToolResult], list[bytes]]:
    async def run(url: str) -> tuple[Result, list[ToolResult]]:
        model = RemoteModel(endpoints.CUSTOM, "m", url, KEY)
        async with Session(prepare(folder), config=CONFIG, models=[model]) as session:
            result = await session.run(Agent(tools=(double,)), "Go.")
            parts = [part for message in session.state(result.run).messages for part in message.parts]
            return result, [part for part in parts if isinstance(part, ToolResult)]

    with faulty(*behaviours) as server:
        return *asyncio.run(run(server.url)), server.requests


def streamed(*pieces: bytes) -> Behaviour:
    return answers(whole(b"".join(pieces)))


WELL = streamed(*says("All is well.").pieces)


@pytest.mark.parametrize("broken", ['{"x": 2', '{"x": "\\', "[1]", "x = 2", '{"x": 2}}', '{"x": "two"}'])
def test_a_call_with_broken_arguments_is_told_to_the_model(broken: str, tmp_path: Path) -> None:
    result, results, requests = ran(tmp_path, streamed(*calls(("double", broken)).pieces), WELL)
    assert (result.status, result.text) == ("finished", "All is well.")
    assert [item.error for item in results] == [True]
    (call,) = next(turn for turn in body(requests[1])["messages"] if turn.get("tool_calls"))["tool_calls"]
    assert isinstance(json.loads(call["function"]["arguments"]), dict)  # some servers refuse what they have written


def test_calls_that_share_an_id_each_get_their_own_result(tmp_path: Path) -> None:
    twice = [
        {"index": at, "id": "same", "function": {"name": "double", "arguments": f'{{"x": {at}}}'}} for at in (1, 2)
    ]
    first = streamed(*[chunk({"tool_calls": [call]}) for call in twice], chunk({}, "tool_calls"), DONE)
    result, results, requests = ran(tmp_path, first, WELL)
    assert result.status == "finished"
    assert [item.text for item in results] == ["doubled: 2", "doubled: 4"]
    turns = body(requests[1])["messages"]
    asked = [call["id"] for turn in turns for call in turn.get("tool_calls", ())]
    assert [turn["tool_call_id"] for turn in turns if turn["role"] == "tool"] == asked
    assert len(set(asked)) == 2


def test_half_of_a_surrogate_pair_is_an_answer(tmp_path: Path) -> None:
    half = b'data: {"choices": [{"delta": {"content": "A penguin: \\ud83d"}, "finish_reason": "stop"}]}\n\n'
    result, _, _ = ran(tmp_path, streamed(half, DONE))
    assert (result.status, result.text.encode("utf-8", "replace")[:11]) == ("finished", b"A penguin: ")


def test_ten_megabytes_go_through_a_run_and_its_journal(tmp_path: Path) -> None:
    result, _, _ = ran(tmp_path, streamed(*[chunk({"content": "é" * 50_000})] * 100, chunk({}, "stop"), DONE))
    assert (result.status, len(result.text)) == ("finished", 5_000_000)


def test_fifty_thousand_tiny_events(tmp_path: Path) -> None:
    result, _, _ = ran(tmp_path, streamed(*[chunk({"content": "x"})] * 50_000, chunk({}, "stop"), DONE))
    assert (result.status, len(result.text)) == ("finished", 50_000)


def test_a_date_in_retry_after() -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    async def run(url: str) -> None:
        model = RemoteModel(endpoints.CUSTOM, "m", url, KEY)
        try:
            assert [item async for item in model.stream(Request([messages.user("Hi")]))]
        finally:
            await model.aclose()

    with faulty(answers(whole(b"", "429 X", Retry_After=when))) as server, pytest.raises(ModelError) as caught:
        asyncio.run(run(server.url))
    assert caught.value.retry_after == pytest.approx(60, abs=3)
    assert re.search(r"run again in (5\d|60) s", str(caught.value))


def body(request: bytes) -> Any:
    return json.loads(request.partition(b"\r\n\r\n")[2])
