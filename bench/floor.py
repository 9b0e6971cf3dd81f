"""The floor: the loop that one would write by hand with httpx and pydantic, with one typed tool and no journal."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import BaseModel

from bench.task import ANSWER, ARGUMENTS, INSTRUCTIONS, PROMPT, TOOL

Message = dict[str, Any]
Ask = Callable[[list[Message]], Awaitable[Message]]


class Arguments(BaseModel):
    """What the tool takes."""

    item: str
    count: int


async def price(item: str, count: int) -> str:
    """What so many of an item cost."""
    return f"{count} {item}: {count * 3}"


SCHEMA = {
    "type": "function",
    "function": {"name": TOOL, "description": price.__doc__, "parameters": Arguments.model_json_schema()},
}


async def loop(ask: Ask, mark: Callable[[], None] = lambda: None) -> str:
    """Ask, run the calls, until there is an answer. `mark` is called at each tool call."""
    messages: list[Message] = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": PROMPT}]
    while True:
        answer = await ask(messages)
        messages.append(answer)
        if not answer.get("tool_calls"):
            return str(answer["content"])
        mark()
        messages += await asyncio.gather(*[_call(call) for call in answer["tool_calls"]])


def scripted(steps: int, wait: float = 0.0) -> Ask:
    """A model in the process: `steps` calls of the tool, then the answer; `wait` seconds before each."""

    async def ask(messages: list[Message]) -> Message:
        if wait:
            await asyncio.sleep(wait)
        if len(messages) // 2 > steps:
            return {"role": "assistant", "content": ANSWER}
        function = {"name": TOOL, "arguments": ARGUMENTS}
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"c{len(messages)}", "type": "function", "function": function}],
        }

    return ask


def client() -> httpx.AsyncClient:
    """httpx on the transport that Assent uses too."""
    return httpx.AsyncClient(transport=AiohttpTransport())


def over_http(http: httpx.AsyncClient, url: str, steps: int, *, streamed: bool) -> Ask:
    """A model behind `bench.server`."""
    head = {"model": f"steps-{steps}", "tools": [SCHEMA]}

    async def whole(messages: list[Message]) -> Message:
        response = await http.post(f"{url}/chat/completions", json=head | {"messages": messages})
        response.raise_for_status()
        message: Message = response.json()["choices"][0]["message"]
        return message

    async def stream(messages: list[Message]) -> Message:
        body = head | {"stream": True, "messages": messages}
        async with http.stream("POST", f"{url}/chat/completions", json=body) as response:
            response.raise_for_status()
            return await _joined(response)

    return stream if streamed else whole


async def _call(call: Message) -> Message:
    arguments = Arguments.model_validate_json(call["function"]["arguments"])
    return {"role": "tool", "tool_call_id": call["id"], "content": await price(**arguments.model_dump())}


async def _joined(response: httpx.Response) -> Message:
    """The message that the deltas of a stream add up to."""
    text: list[str] = []
    calls: list[Message] = []
    async for line in response.aiter_lines():
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        for choice in json.loads(line[6:])["choices"]:
            delta = choice["delta"]
            text.append(delta.get("content") or "")
            for piece in delta.get("tool_calls") or ():
                if "id" in piece:
                    calls.append(
                        {
                            "id": piece["id"],
                            "type": "function",
                            "function": {"name": piece["function"]["name"], "arguments": ""},
                        }
                    )
                calls[piece["index"]]["function"]["arguments"] += piece["function"].get("arguments", "")
    message: Message = {"role": "assistant", "content": "".join(text) or None}
    return message | {"tool_calls": calls} if calls else message
