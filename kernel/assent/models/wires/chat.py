"""The OpenAI chat-completions format, for every server that speaks it: requests.

Source: https://platform.openai.com/docs/api-reference/chat
"""

import base64
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from assent.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import OutputSchema, Request, ToolSpec
from assent.models.endpoints import Endpoint
from assent.models.wires.call_ids import fitting
from assent.models.wires.call_names import callable_as
from assent.models.wires.chat_stream import absorb
from assent.models.wires.schema import strict
from assent.models.wires.thinking import heats, told
from assent.models.wires.wire import Wire, arguments_text, bearer, dump, kept, own

NAMES = "[a-zA-Z0-9_-]{1,64}"


def encode_request(request: Request, model: str, endpoint: Endpoint, tools: bytes) -> bytes:
    """The body of a request: small head, then the bytes that each message already has."""
    head: dict[str, Any] = {"model": model, "stream": True, **endpoint.fields}
    if endpoint.counted:
        head["stream_options"] = {"include_usage": True}
    if request.temperature is not None and heats(endpoint.effort, model, request.effort):
        head["temperature"] = request.temperature
    if request.max_tokens is not None:
        head[endpoint.limit] = request.max_tokens
    if endpoint.marked and model.startswith(endpoint.marked):
        head["cache_control"] = {"type": "ephemeral"}
    head |= told(endpoint.effort, model, request.effort)
    if tools:
        head |= _choice(request.tool_choice, endpoint)
    if request.output is not None:
        head["response_format"] = {"type": "json_schema", "json_schema": form(request.output)}
    tail = b',"tools":' + tools if tools else b""
    return dump(head)[:-1] + tail + b',"messages":[' + b",".join(_encoded(request.messages, endpoint)) + b"]}"


def encode_message(message: Message, endpoint: Endpoint) -> bytes:
    """A message as JSON; several tool results are several objects, joined by commas. Empty where nothing is in it."""
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


def form(output: OutputSchema) -> dict[str, Any]:
    """What an answer is held to, as OpenAI names it."""
    schema, complete = strict(output.schema)
    return {"name": output.name, "schema": schema, "strict": complete}


def data_url(image: Image) -> str:
    """A picture as a URL that holds it."""
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _encoded(conversation: Sequence[Message], endpoint: Endpoint) -> list[bytes]:
    make = partial(encode_message, endpoint=endpoint)
    made = [(message.role, kept(message, endpoint.name, make)) for message in conversation]
    told = [(role, value) for role, value in made if value]
    encoded = [value for _, value in told]
    if endpoint.between:
        bridge = b"," + dump({"role": "assistant", "content": endpoint.between})
        for place, ((one, _), (after, _)) in enumerate(pairwise(told)):
            if one == "tool" and after == "user":
                encoded[place] += bridge
    return encoded


def _choice(choice: str, endpoint: Endpoint) -> dict[str, Any]:
    if choice == "auto":
        return {}
    if choice == "none":
        return {"tool_choice": "none"}
    if endpoint.forced == "no":
        return {"tool_choice": "auto"}
    named = {"type": "function", "function": {"name": choice}}
    fields = {"tool_choice": "required" if choice == "required" else named}
    return fields | (told(endpoint.effort, "", "none") if endpoint.forced == "unthinking" else {})


def _values(message: Message, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": fitting(part.id, endpoint.ids), "content": part.text}
        return
    calls = message.calls
    if message.role in ("system", "assistant") and not (message.text or calls):
        return  # Mistral, for one, refuses a turn without anything in it
    value: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if calls:
        value["content"] = message.text or None
        value["tool_calls"] = [_call(call, endpoint) for call in calls]
    if endpoint.reasoning and (thought := message.reasoning or (endpoint.unknown if calls else "")):
        value[endpoint.reasoning] = thought
    if endpoint.details and (details := _details(message, endpoint)):
        value[endpoint.details] = details
    yield value


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not any(isinstance(part, Image) for part in message.parts):
        return message.text
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Image):
            content.append({"type": "image_url", "image_url": {"url": data_url(part)}})
        elif isinstance(part, Text) and part.text:
            content.append({"type": "text", "text": part.text})
    return content


def _call(call: ToolCall, endpoint: Endpoint) -> dict[str, Any]:
    function = {"name": callable_as(call.name, NAMES), "arguments": arguments_text(call.arguments)}
    back = own(call, endpoint.name)
    return {"id": fitting(call.id, endpoint.ids), "type": "function", "function": function, **back}


def _details(message: Message, endpoint: Endpoint) -> list[Any]:
    """What the vendor wants back of its thinking, unchanged and in order."""
    thoughts = [own(part, endpoint.name) for part in message.parts if isinstance(part, Reasoning)]
    return [item for thought in thoughts for item in thought.get(endpoint.details, ())]


WIRE = Wire(lambda model: "/chat/completions", bearer, encode_tools, encode_request, absorb)
