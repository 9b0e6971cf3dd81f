"""What OpenAI's Responses really sent and were sent. Reads recordings in ../shared, not part of the repository."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.cassettes import Exchange, exchanges
from tests.support.chat_server import chat_server
from tests.support.vendors import vendor

from assent.core.errors import ModelError
from assent.core.messages import Message, Text, ToolCall, ToolResult
from assent.core.model import Answer, Request, ToolSpec, Usage
from assent.models.remote import RemoteModel

pytestmark = pytest.mark.shared

RESPONSES = vendor("openai-responses")
BACKGROUND = "test_openai_responses.test_background_mode_with_tool_vcr"
MATRIX = "test_tool_choice_matrix.test_tool_choice_matrix.auto-openai_responses."


def replay(asked: list[Exchange], answered: list[Exchange]) -> tuple[list[Any], list[Answer]]:
    """Our bodies and answers for recorded requests and answers; what the model said is as we read it."""
    answers: list[Answer] = []
    with chat_server([one.reply for one in answered]) as server:
        for one in asked:
            answers.append(asyncio.run(ask(server.url, one.sent, [answer.message for answer in answers])))
        return [received.body for received in server.requests], answers


async def ask(url: str, sent: Mapping[str, Any], said: list[Message]) -> Answer:
    remote = RemoteModel(RESPONSES, sent["model"], url, "k-1", 10)
    tools = [ToolSpec(tool["name"], tool["description"], tool["parameters"]) for tool in sent["tools"]]
    request = Request(conversation(sent["input"], said), tools, tool_choice=sent["tool_choice"])
    try:
        *_, answer = [item async for item in remote.stream(request)]
    finally:
        await remote.aclose()
    assert isinstance(answer, Answer)
    return answer


def conversation(items: list[Any], said: list[Message]) -> list[Message]:
    given, found = list(said), list[Message]()
    for item in items:
        if item.get("type") == "function_call_output":
            found.append(Message("tool", (ToolResult(item["call_id"], "", item["output"]),)))
        elif item.get("type") == "function_call":
            found.append(given.pop(0))
        elif "role" in item:
            found.append(Message(item["role"], (Text(item["content"]),)))
    return found


def matters(sent: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: sent.get(name) for name in ("model", "input", "tools", "include")}
    return kept | {"tool_choice": sent.get("tool_choice", "auto")}


def test_a_run_that_thinks_replays_and_its_thought_goes_back() -> None:
    took = exchanges(MATRIX)
    bodies, (called, told) = replay(took, took)
    assert [matters(body) for body in bodies] == [matters(one.sent) for one in took]
    assert [body["store"] for body in bodies] == [False, False]
    assert called.message.calls[0].arguments == '{"city":"Paris"}'
    assert (called.message.calls[0].id, called.stop) == ("call_E4xGYcmG4CvUzTabsGjXo6ba", "calls")
    assert called.usage == Usage(50, 81, 0, 0)
    assert (told.message.text, told.stop) == ("Currently it's sunny in Paris with a temperature of 22°C.", "stop")
    assert told.model == "gpt-5-mini-2025-08-07"


def test_a_run_without_thoughts_replays() -> None:
    whole = [one for one in exchanges(BACKGROUND, "GET") if json.loads(one.body)["status"] == "completed"]
    bodies, (called, told) = replay(took := exchanges(BACKGROUND), whole)
    assert [matters(body) for body in bodies] == [matters(one.sent) for one in took]
    assert [call.name for call in called.message.calls] == ["get_weather"]
    assert told.message.text == "The weather in Paris is currently sunny with a temperature of 72°F."
    assert (called.usage, told.usage) == (Usage(51, 15, 0, 0), Usage(78, 17, 0, 0))


def test_an_answer_that_is_yet_to_come_is_none() -> None:
    took = exchanges(BACKGROUND)
    with pytest.raises(ModelError, match="the response is queued"):
        replay(took[:1], took[:1])


def test_a_call_keeps_what_it_came_with() -> None:
    took = exchanges(MATRIX)[:1]
    _, (called,) = replay(took, took)
    (call,) = called.message.calls
    assert isinstance(call, ToolCall)
    assert call.extra == {"openai-responses": {"id": "fc_00bc57bdb9540c4a00697bc1f59a688197b4e0ec95cbf520b1"}}
