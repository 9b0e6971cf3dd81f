"""The OpenAI chat-completions format, for every server that speaks it: requests.

Source: https://platform.openai.com/docs/api-reference/chat
"""

import base64
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from assent.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Request, ToolSpec
from assent.models.endpoints import Endpoint
from assent.models.wires.chat_stream import absorb
from assent.models.wires.schema import strict
from assent.models.wires.wire import Wire, arguments_of, bearer, dump, kept


def encode_request(request: Request, model: str, endpoint: Endpoint, tools: bytes) -> bytes:
    """The body of a request: small head, then the bytes that each message already has."""
    head: dict[str, Any] = {"model": model, "stream": True, "stream_options": {"include_usage": True}}
    if request.temperature is not None:
        head["temperature"] = request.temperature
    if request.max_tokens is not None:
        head[endpoint.limit] = request.max_tokens
    if endpoint.effort and request.effort is not None:
        head[endpoint.effort] = request.effort
    if tools and request.tool_choice != "auto":
        named = request.tool_choice not in ("none", "required")
        choice = {"type": "function", "function": {"name": request.tool_choice}}
        head["tool_choice"] = choice if named else request.tool_choice
    if request.output is not None:
        schema, complete = strict(request.output.schema)
        form = {"name": request.output.name, "schema": schema, "strict": complete}
        head["response_format"] = {"type": "json_schema", "json_schema": form}
    make = partial(encode_message, endpoint=endpoint)
    encoded = [kept(message, endpoint.name, make) for message in request.messages]
    tail = b',"tools":' + tools if tools else b""
    return dump(head)[:-1] + tail + b',"messages":[' + b",".join(encoded) + b"]}"


def encode_message(message: Message, endpoint: Endpoint) -> bytes:
    """A message as JSON; several tool results are several objects, joined by commas."""
    return b",".join([dump(value) for value in _values(message, endpoint)])


def encode_tools(tools: Sequence[ToolSpec]) -> bytes:
    """The list of tools as JSON."""
    return dump(
        [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
            }
            for tool in tools
        ]
    )


def _values(message: Message, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.id, "content": part.text}
        return
    value: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if calls := message.calls:
        value["content"] = message.text or None
        value["tool_calls"] = [_call(call, endpoint.name) for call in calls]
    if endpoint.reasoning and message.reasoning:
        value[endpoint.reasoning] = message.reasoning
    if endpoint.details and (details := _details(message, endpoint)):
        value[endpoint.details] = details
    yield value


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not any(isinstance(part, Image) for part in message.parts):
        return message.text
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Image):
            url = f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"
            content.append({"type": "image_url", "image_url": {"url": url}})
        elif isinstance(part, Text):
            content.append({"type": "text", "text": part.text})
    return content


def _call(call: ToolCall, vendor: str) -> dict[str, Any]:
    arguments = arguments_of(call.arguments)
    text = dump(arguments).decode() if "invalid" in arguments else call.arguments or "{}"
    function = {"name": call.name, "arguments": text}
    return {"id": call.id, "type": "function", "function": function, **(call.extra or {}).get(vendor, {})}


def _details(message: Message, endpoint: Endpoint) -> list[Any]:
    """What the vendor wants back of its thinking, unchanged and in order."""
    extras = [(part.extra or {}).get(endpoint.name, {}) for part in message.parts if isinstance(part, Reasoning)]
    return [item for extra in extras for item in extra.get(endpoint.details, ())]


WIRE = Wire(lambda model: "/chat/completions", bearer, encode_tools, encode_request, absorb)
