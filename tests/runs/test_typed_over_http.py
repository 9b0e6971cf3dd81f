"""A typed run against a real server on loopback, in each of the ways by which vendors hold a model to a schema."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.runs.test_pictures import PNG
from tests.support.chat_server import Received, Reply, calls, chat_server, says
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.events import Kind
from assent.models.endpoints import ENDPOINTS
from assent.models.remote import RemoteModel
from assent.models.wires.answer_form import TOOL
from assent.runs.result import Result
from assent.tools.tool import tool

OPENAI = ENDPOINTS[0]
GOOD = '{"number": 7, "total": 1.5}'
BAD = '{"number": "seven"}'


class Invoice(BaseModel):
    number: int
    total: float


@tool(privilege="read_only")
def look() -> str:
    return "seen"


def answers(way: str, text: str) -> Reply:
    if way == "tool":
        return calls((TOOL, text))
    return says(f"Here it is:\n```json\n{text}\n```" if way == "prompt" else text)


def run(folder: Path, url: str, way: str, **options: Any) -> tuple[Result, list[Kind]]:
    async def typed() -> tuple[Result, list[Kind]]:
        model = RemoteModel(replace(OPENAI, structured=way), "gpt-test", url, "sk-test-0123456789abcdef")
        async with Session(prepare(folder), config=Config(), models=[model]) as session:
            result = await session.run(Agent(tools=(look,)), "Go.", **options)
            return result, [event.kind for event in session.journal.events(result.run)]

    return asyncio.run(typed())


@pytest.mark.parametrize("way", ["native", "tool", "prompt"])
def test_tools_then_an_answer_that_is_repaired(tmp_path: Path, way: str) -> None:
    with chat_server([calls(("look", "{}")), answers(way, BAD), answers(way, GOOD)]) as server:
        result, kinds = run(tmp_path, server.url, way, output_type=Invoice)
    assert (result.status, result.value, result.text) == ("finished", Invoice(number=7, total=1.5), GOOD)
    assert kinds.count(Kind.ANSWER_REFUSED) == 1
    assert len(server.requests) == 3
    assert all(_holds(way, request) for request in server.requests)
    *_, refused, told = server.requests[-1].body["messages"]
    assert (refused["role"], told["role"]) == ("assistant", "user")
    assert "does not fit the type Invoice" in str(told["content"])


def _holds(way: str, request: Received) -> bool:
    """Whether the request tells the schema in that way, and leaves the agent its tools."""
    body = request.body
    tools = [item["function"]["name"] for item in body["tools"]]
    if way == "native":
        return "Invoice" in json.dumps(body["response_format"]) and tools == ["look"]
    if way == "tool":
        return tools == ["look", TOOL] and "response_format" not in body
    return '"total"' in str(body["messages"][0]["content"]) and tools == ["look"] and "response_format" not in body


@pytest.mark.parametrize("way", ["native", "tool", "prompt"])
def test_a_table(tmp_path: Path, way: str) -> None:
    with chat_server([answers(way, '{"rows": [{"n": 1, "x": null}]}')]) as server:
        result, _ = run(tmp_path, server.url, way, output_type="n: int, x: float | None")
    assert [str(dtype) for dtype in result.value.dtypes] == ["int64", "float64"]


def test_a_picture_goes_along_with_every_step(tmp_path: Path) -> None:
    with chat_server([calls(("look", "{}")), says("A dot.")]) as server:
        result, _ = run(tmp_path, server.url, "native", images=PNG)
    assert result.text == "A dot."
    first, second = [request.body["messages"][1] for request in server.requests]
    assert first == second
    assert [part["type"] for part in first["content"]] == ["image_url", "text"]
    assert first["content"][0]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
