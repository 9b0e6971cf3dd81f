"""Recorded chat-completions exchanges, replayed: what was sent and what we send, what came and what we read."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.cassettes import Exchange, exchanges
from tests.support.chat_server import chat_server

from assent.core.errors import ModelError
from assent.core.messages import Message, Part, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Answer, OutputSchema, Request, ToolSpec, Usage
from assent.models.endpoints import Endpoint
from assent.models.remote import RemoteModel
from assent.models.wires.schema import strict

LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


@dataclass(frozen=True)
class Replayed:
    """One recorded exchange, the body that we sent for its conversation, and what we made of its answer."""

    exchange: Exchange
    sent: Any
    answer: Answer | None
    error: ModelError | None


def replay(name: str, endpoint: Endpoint, host: str = "") -> list[Replayed]:
    """Every exchange of a recording (with `host`, if given), asked again over real HTTP."""
    took = [one for one in exchanges(name) if host in one.url]
    assert took
    known: list[Message] = []
    with chat_server([one.reply for one in took]) as server:
        outcomes = [asyncio.run(_ask(server.url, endpoint, one, known)) for one in took]
        bodies = [received.body for received in server.requests]
    return [Replayed(one, body, *outcome) for one, body, outcome in zip(took, bodies, outcomes, strict=True)]


async def _ask(
    url: str, endpoint: Endpoint, exchange: Exchange, known: list[Message]
) -> tuple[Answer | None, ModelError | None]:
    remote = RemoteModel(endpoint, exchange.sent["model"], url, "k-1", 10)
    try:
        *_, answer = [item async for item in remote.stream(request_of(exchange.sent, known))]
    except ModelError as error:
        return None, error
    finally:
        await remote.aclose()
    assert isinstance(answer, Answer)
    known.append(answer.message)
    return answer, None


def request_of(sent: Mapping[str, Any], known: list[Message]) -> Request:
    """The request that a recorded body stands for; what the model said earlier is as we read it ourselves."""
    form = (sent.get("response_format") or {}).get("json_schema")
    return Request(
        [_known(message_of(item), known) for item in sent["messages"]],
        [ToolSpec(**_tool(item["function"])) for item in sent.get("tools", ())],
        temperature=sent.get("temperature"),
        max_tokens=next((sent[name] for name in LIMITS if name in sent), None),
        tool_choice=sent.get("tool_choice", "auto"),
        output=OutputSchema(form["name"], form["schema"]) if form else None,
    )


def _known(message: Message, known: list[Message]) -> Message:
    for ours in known:
        if ours.calls == message.calls and (ours.text == message.text or message.calls):
            return ours
        if [call.id for call in ours.calls] == [call.id for call in message.calls] != []:
            return ours
    return message


def message_of(item: Mapping[str, Any]) -> Message:
    """A message of ours out of one as the wire has it."""
    if item["role"] == "tool":
        return Message("tool", (ToolResult(item["tool_call_id"], "", item["content"]),))
    parts: list[Part] = []
    if thought := item.get("reasoning_content") or item.get("reasoning"):
        parts.append(Reasoning(thought))
    if text := untagged(item.get("content") or ""):
        parts.append(Text(text))
    for call in item.get("tool_calls") or ():
        parts.append(ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"]))
    return Message(item["role"], tuple(parts))


def untagged(text: str) -> str:
    """The text without thinking between tags, which the recording client put there and we do not."""
    return re.sub(r"\A<think>.*?</think>\s*", "", text, flags=re.DOTALL)


def matters(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What matters of a request's body, in one spelling."""
    form = (sent.get("response_format") or {}).get("json_schema")
    return {
        "model": sent["model"],
        "messages": [_plain(item) for item in sent["messages"]],
        "tools": [_tool(item["function"]) for item in sent.get("tools", ())],
        "choice": sent.get("tool_choice", "auto"),
        "form": (form["name"], strict(form["schema"])[0]) if form else None,
        "limit": next((sent[name] for name in LIMITS if name in sent), None),
    }


def _tool(function: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": function["name"], "description": function["description"], "schema": function["parameters"]}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in item.items() if value not in (None, "", [])}
    if item["role"] == "assistant" and (text := untagged(plain.pop("content", ""))):
        plain["content"] = text
    if calls := item.get("tool_calls"):
        plain["tool_calls"] = [_call(call) for call in calls]
    return plain


def _call(call: Mapping[str, Any]) -> tuple[str, str, Any]:
    return call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])


@dataclass
class Read:
    """What a recorded answer says, read in another way than ours."""

    text: str = ""
    reasoning: str = ""
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    stop: str | None = None
    usage: Mapping[str, Any] | None = None


def read(body: bytes) -> Read:
    """A recorded answer, streamed or whole."""
    found = Read()
    for chunk in _chunks(body):
        found.usage = chunk.get("usage") or found.usage
        for choice in chunk["choices"]:
            found.stop = choice["finish_reason"] or found.stop
            _add(found, choice.get("delta") or choice.get("message") or {})
    return found


def _add(found: Read, delta: Mapping[str, Any]) -> None:
    found.text += delta.get("content") or ""
    found.reasoning += delta.get("reasoning") or delta.get("reasoning_content") or ""
    for place, call in enumerate(delta.get("tool_calls") or ()):
        known = found.calls.setdefault(call.get("index", place), {"id": "", "name": "", "arguments": ""})
        known["id"] += call.get("id") or ""
        for name in ("name", "arguments"):
            known[name] += call["function"].get(name) or ""


def _chunks(body: bytes) -> list[Any]:
    if body.startswith(b"{"):
        return [json.loads(body)]
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def check(done: Replayed) -> Answer:
    """That we sent what was sent and read what came; the answer."""
    assert matters(done.sent) == matters(done.exchange.sent)
    assert done.answer is not None, done.error
    message, found = done.answer.message, read(done.exchange.body)
    if tagged := re.match(r"\s*<think>(.*?)</think>", found.text, re.DOTALL):
        found.text, found.reasoning = found.text[tagged.end() :], tagged[1]
    assert (message.text, message.reasoning) == (found.text, found.reasoning)
    for call, recorded in zip(message.calls, found.calls.values(), strict=True):
        assert (call.name, call.arguments) == (recorded["name"], recorded["arguments"])
        assert call.id == (recorded["id"] or call.id)
    assert done.answer.stop == ("calls" if message.calls else "length" if found.stop == "length" else "stop")
    assert done.answer.usage == _usage(found.usage or {})
    return done.answer


def _usage(usage: Mapping[str, Any]) -> Usage:
    given, made = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(
        usage["prompt_tokens"], usage["completion_tokens"], given.get("cached_tokens"), made.get("reasoning_tokens")
    )
