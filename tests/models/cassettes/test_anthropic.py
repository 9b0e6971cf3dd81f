"""Recorded exchanges with Anthropic: what we would have sent, and what we make of what came back."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.support.cassettes import Exchange, exchanges
from tests.support.chat_server import chat_server
from tests.support.vendors import vendor

from assent.core import messages
from assent.core.messages import Message, Part, Reasoning, Role, Text, ToolCall, ToolResult
from assent.core.model import Answer, Request, ToolSpec, Usage
from assent.models.remote import RemoteModel

pytestmark = pytest.mark.shared

RECORDINGS = (
    "test_anthropic.test_anthropic_model_retrying_after_empty_response",
    "test_anthropic.test_anthropic_model_thinking_part_redacted_stream",
    "test_anthropic.test_anthropic_model_thinking_part_stream",
    "test_anthropic.test_multiple_parallel_tool_calls",
    "test_tool_choice_matrix.test_tool_choice_matrix.auto-anthropic.",
    "test_tool_choice_matrix.test_tool_choice_matrix.required-anthropic.",
)


def replay(recorded: list[Exchange], requests: list[Request]) -> tuple[list[Answer], list[Any]]:
    """The answers that our model gives where the recorded server answers, and the bodies that it sent."""

    async def ask(url: str) -> list[Answer]:
        model = RemoteModel(vendor("anthropic"), recorded[0].sent["model"], url, "sk-ant-test")
        found = [item for request in requests async for item in model.stream(request) if isinstance(item, Answer)]
        await model.aclose()
        return found

    with chat_server([exchange.reply for exchange in recorded]) as server:
        answers = asyncio.run(ask(server.url))
    return answers, [received.body for received in server.requests]


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_request_for_a_recorded_conversation_is_the_recorded_one(name: str) -> None:
    recorded = exchanges(name)
    _, sent = replay(recorded, [request_of(exchange.sent) for exchange in recorded])
    assert [what_matters(body) for body in sent] == [what_matters(exchange.sent) for exchange in recorded]
    assert all(body["stream"] is True and body["max_tokens"] > 0 for body in sent)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_answer_becomes_its_message(name: str) -> None:
    recorded = exchanges(name)
    answers, _ = replay(recorded, [request_of(exchange.sent) for exchange in recorded])
    for answer, exchange in zip(answers, recorded, strict=True):
        told = whole(exchange)
        assert list(answer.message.parts) == list(parts_of(told["content"]))
        assert answer.stop == {"end_turn": "stop", "tool_use": "calls"}[told["stop_reason"]]
        assert answer.model == told["model"]
        assert answer.usage == Usage(
            told["usage"]["input_tokens"], told["usage"]["output_tokens"], cached=0, cache_write=0
        )


def test_a_conversation_goes_on_from_our_own_reading_of_the_answers() -> None:
    results = {
        "Alice": "alice is bob's wife",
        "Bob": "bob is alice's husband",
        "Charlie": "charlie is alice's son",
        "Daisy": "daisy is bob's daughter and charlie's younger sister",
    }
    recorded = exchanges(RECORDINGS[3])
    first = request_of(recorded[0].sent)
    ((answer, _), _) = replay(recorded, [first, first])
    told = [
        ToolResult(call.id, call.name, results[json.loads(call.arguments)["name"]]) for call in answer.message.calls
    ]
    assert [call.id[:6] for call in answer.message.calls] == ["toolu_"] * 4
    after = Request([*first.messages, answer.message, messages.results(told)], first.tools)
    _, sent = replay(recorded, [after, after])
    assert what_matters(sent[0]) == what_matters(recorded[1].sent)


@pytest.mark.parametrize("name", RECORDINGS[1:3])
def test_recorded_thinking_goes_back_unchanged(name: str) -> None:
    recorded = exchanges(name)
    first = request_of(recorded[0].sent)
    ((answer,), _) = replay(recorded, [first])
    after = Request([*first.messages, answer.message, messages.user("And then?")])
    _, (sent,) = replay(recorded, [after])
    assert sent["messages"][1] == {"role": "assistant", "content": whole(recorded[0])["content"]}
    assert sent["messages"][1]["content"][0]["type"] in ("thinking", "redacted_thinking")


def what_matters(sent: Mapping[str, Any]) -> Any:
    """Messages (neighbours of one role together), what the system says, tools, tool choice; not the cache's marks."""
    turns: list[tuple[str, list[Any]]] = []
    for message in sent["messages"]:
        if not turns or turns[-1][0] != message["role"]:
            turns.append((message["role"], []))
        turns[-1][1].extend(unmarked(block) for block in message["content"])
    system = sent.get("system", "")
    words = system if isinstance(system, str) else "".join(block["text"] for block in system)
    return turns, words, [unmarked(tool) for tool in sent.get("tools", [])], sent.get("tool_choice")


def unmarked(block: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key != "cache_control"}


def request_of(sent: Mapping[str, Any]) -> Request:
    """The request that a recorded body came of."""
    conversation = [messages.system(sent["system"])] if "system" in sent else []
    for message in sent["messages"]:
        parts = tuple(parts_of(message["content"]))
        role: Role = "tool" if any(isinstance(part, ToolResult) for part in parts) else message["role"]
        conversation.append(Message(role, parts))
    tools = [ToolSpec(tool["name"], tool["description"], tool["input_schema"]) for tool in sent.get("tools", ())]
    choice = {"auto": "auto", "any": "required"}[sent.get("tool_choice", {"type": "auto"})["type"]]
    return Request(conversation, tools, tool_choice=choice)


def parts_of(content: Any) -> Iterator[Part]:
    for block in content:
        match block["type"]:
            case "text":
                yield Text(block["text"])
            case "thinking":
                yield Reasoning(block["thinking"], {"anthropic": {"signature": block["signature"]}})
            case "redacted_thinking":
                yield Reasoning("", {"anthropic": {"redacted": block["data"]}})
            case "tool_use":
                yield ToolCall(block["id"], block["name"], json.dumps(block["input"]))
            case "tool_result":
                yield ToolResult(block["tool_use_id"], "", block["content"], block["is_error"])
            case other:
                raise AssertionError(other)


def whole(exchange: Exchange) -> Any:
    """The recorded answer as one message, put together without any of our code where it was streamed."""
    if exchange.headers["content-type"] == "application/json":
        return json.loads(exchange.body)
    events = [json.loads(line[5:]) for line in exchange.body.splitlines() if line.startswith(b"data:")]
    message: dict[str, Any] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append(event["content_block"])
            case "content_block_delta":
                block, delta = message["content"][event["index"]], event["delta"]
                name = delta["type"].removesuffix("_delta")
                block[name] += delta[name]
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
    return message
