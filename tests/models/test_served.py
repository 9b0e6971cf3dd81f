"""A real model server: llama.cpp's own, over HTTP. The small local model: what it says is not the point."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.served import KEY, Served, served
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core import messages
from assent.core.agent import Agent
from assent.core.commands import ResumeRun, StartRun
from assent.core.config import Config
from assent.core.errors import ModelError
from assent.core.events import Event, Kind, Progress
from assent.core.messages import ToolCall, ToolResult
from assent.core.model import Answer, OutputSchema, Request, TextDelta, ToolSpec
from assent.models.endpoints import CUSTOM
from assent.models.local import weights
from assent.models.remote import RemoteModel

pytestmark = [pytest.mark.local, pytest.mark.slow, pytest.mark.timeout(60, func_only=True)]

SQL = ToolSpec(
    "sql",
    "Run one read-only query.",
    {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
STORY = "Write a long story about a penguin, at least a thousand words."


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    pytest.importorskip("xllamacpp", reason="the local model is not installed")
    with served(weights.ensure("qwen2.5-coder-0.5b")) as running:
        yield running


def ask(server: Served, request: Request, key: str = KEY) -> list[Any]:
    async def run() -> list[Any]:
        model = RemoteModel(CUSTOM, "qwen", server.url, key)
        try:
            return [item async for item in model.stream(request)]
        finally:
            await model.aclose()

    return asyncio.run(run())


def busy(server: Served) -> bool:
    return any(slot["is_processing"] for slot in json.loads(server.get("/slots")))


def test_words_stream(server: Served) -> None:
    *deltas, answer = ask(server, Request([messages.user("Say hello.")], temperature=0.0, max_tokens=20))
    assert len(deltas) > 3
    assert all(isinstance(delta, TextDelta) for delta in deltas)
    assert "".join(delta.text for delta in deltas) == answer.message.text
    assert answer.usage.input > 10
    assert answer.usage.output >= len(deltas)
    assert answer.stop in ("stop", "length")


def test_an_answer_is_held_to_its_schema(server: Served) -> None:
    properties = {"city": {"type": "string"}, "inhabitants": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": ["city", "inhabitants"]}
    question = messages.user("Which is the capital of France? Begin your answer with the word Well.")
    answer = ask(server, Request([question], output=OutputSchema("city", schema), temperature=0.0, max_tokens=60))[-1]
    value = json.loads(answer.message.text)
    assert {name: type(item) for name, item in value.items()} == {"city": str, "inhabitants": int}


def test_tools_their_calls_and_their_results_are_read(server: Served) -> None:
    conversation = [
        messages.user("How many rows has the table orders?"),
        messages.assistant(ToolCall("c0", "sql", '{"query": "SELECT count(*) FROM orders"}')),
        messages.results([ToolResult("c0", "sql", "count\n120")]),
    ]
    bare, full = [
        ask(server, Request(turns, tools, temperature=0.0, max_tokens=30))[-1]
        for turns, tools in ((conversation[:1], ()), (conversation, (SQL,)))
    ]
    assert full.usage.input > bare.usage.input + 50  # the server's template has put them before the model
    assert full.message.parts


def test_a_wrong_key_and_a_conversation_that_is_too_long(server: Served) -> None:
    with pytest.raises(ModelError, match=r"refused the key \(HTTP 401\)"):
        ask(server, Request([messages.user("Hi")]), "sk-wrong-0123456789")
    with pytest.raises(ModelError, match="exceeds the available context size"):
        ask(server, Request([messages.user("word " * 5000)]))


def test_leaving_a_stream_stops_the_server(server: Served) -> None:
    async def leave() -> None:
        model = RemoteModel(CUSTOM, "qwen", server.url, KEY)
        async with aclosing(cast("Any", model.stream(Request([messages.user(STORY)], max_tokens=1500)))) as stream:
            assert isinstance(await anext(stream), TextDelta)
            assert await asyncio.to_thread(busy, server)
        await asyncio.to_thread(idle, server)
        await model.aclose()

    asyncio.run(leave())


def idle(server: Served) -> None:
    until = time.monotonic() + 15  # the story alone would take a minute
    while busy(server):
        assert time.monotonic() < until
        time.sleep(0.05)


def opened(folder: Path, server: Served) -> Session:
    config = Config(models={"default": {"attempts": 1}})
    return Session(prepare(folder), config=config, models=[RemoteModel(CUSTOM, "qwen", server.url, KEY)])


def test_stopping_a_run_stops_the_server(server: Served, tmp_path: Path) -> None:
    async def stop() -> str:
        async with opened(tmp_path, server) as session:
            run = ""
            async for item in session.submit(StartRun(STORY, Agent(tools=()))):
                run = item.run or run
                if isinstance(item, Progress):
                    session.stop(run)
            await asyncio.to_thread(idle, server)
            return session.state(run).status

    assert asyncio.run(stop()) == "cancelled"


def test_a_server_killed_in_mid_stream_and_brought_back(server: Served, tmp_path: Path) -> None:
    async def killed() -> tuple[str, str]:
        async with opened(tmp_path, server) as session:
            async for item in session.submit(StartRun(STORY, Agent(tools=(), max_tokens=60))):
                if isinstance(item, Progress) and server.alive:
                    server.kill()
                if isinstance(item, Event) and item.kind is Kind.RUN_FAILED:
                    with pytest.raises(ModelError, match="could not be reached"):
                        await anext(aiter(session.model().stream(Request([messages.user("Hi")]))))
                    return item.run or "", item.body["error"]
        raise AssertionError("the run did not fail")

    async def resumed(run: str) -> Any:
        async with opened(tmp_path, server) as session:
            return await session.drain(ResumeRun(run))

    run, reason = asyncio.run(killed())
    assert reason == "The model server broke off in the middle of its answer: run again."
    server.restart()
    result = asyncio.run(resumed(run))
    assert (result.status, bool(result.text)) == ("finished", True)
    assert isinstance(ask(server, Request([messages.user("Hi")], max_tokens=3))[-1], Answer)
