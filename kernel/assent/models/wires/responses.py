"""The OpenAI Responses format: requests, each with the whole conversation; the server keeps nothing.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from assent.core.messages import Image, Message, Part, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Request, ToolSpec
from assent.models.endpoints import Endpoint
from assent.models.wires.call_ids import fitting
from assent.models.wires.call_names import callable_as
from assent.models.wires.chat import NAMES, data_url, form
from assent.models.wires.responses_stream import absorb
from assent.models.wires.schema import strict
from assent.models.wires.thinking import heats, thinks, told
from assent.models.wires.wire import Wire, arguments_text, bearer, dump, kept, own

FEWEST = 16  # tokens: a smaller bound is refused


def encode_request(request: Request, model: str, endpoint: Endpoint, tools: bytes) -> bytes:
    """The body of a request: small head, then the bytes that each message already has.

    A system message at the beginning becomes the instructions; a later one is an item in its place.
    """
    thinking = thinks(model)
    head: dict[str, Any] = {"model": model, "stream": True, "store": False}
    if thinking:  # another model refuses to be asked for it
        head["include"] = ["reasoning.encrypted_content"]
    if request.temperature is not None and heats(endpoint.effort, model, request.effort):
        head["temperature"] = request.temperature
    if request.max_tokens is not None:
        head["max_output_tokens"] = max(FEWEST, request.max_tokens)
    if effort := told(endpoint.effort, model, request.effort).get("reasoning_effort"):
        head["reasoning"] = {"effort": effort} | ({"summary": "auto"} if thinking and effort != "none" else {})
    if tools and request.tool_choice != "auto":
        named = request.tool_choice not in ("none", "required")
        head["tool_choice"] = {"type": "function", "name": request.tool_choice} if named else request.tool_choice
    if request.output is not None:
        head["text"] = {"format": {"type": "json_schema", **form(request.output)}}
    tail = b',"tools":' + tools if tools else b""
    messages = request.messages
    if messages and messages[0].role == "system":
        tail += b',"instructions":' + kept(messages[0], f"{endpoint.name} instructions", _instructions)
        messages = messages[1:]
    # A model that does not think refuses another's thinking, so its bytes of a message are others.
    slot = endpoint.name if thinking else f"{endpoint.name} without thinking"
    make = partial(encode_message, endpoint=endpoint, thinking=thinking)
    items = [made for message in messages if (made := kept(message, slot, make))]
    return dump(head)[:-1] + tail + b',"input":[' + b",".join(items) + b"]}"


def encode_message(message: Message, endpoint: Endpoint, thinking: bool = True) -> bytes:
    """The items of a message as JSON, joined by commas; `thinking` says whether the model takes thoughts back."""
    return b",".join([dump(item) for item in _items(message, endpoint, thinking)])


def encode_tools(tools: Sequence[ToolSpec]) -> bytes:
    """The list of tools as JSON."""
    return dump([_tool(tool) for tool in tools])


def _tool(tool: ToolSpec) -> dict[str, Any]:
    schema, complete = strict(tool.schema)
    parameters = schema if complete else tool.schema
    # What is not said to be loose would be made strict: https://platform.openai.com/docs/guides/function-calling
    return {
        "type": "function", "name": tool.name, "description": tool.description, "parameters": parameters,
        "strict": complete,
    }  # fmt: skip


def _instructions(message: Message) -> bytes:
    return dump(message.text)


def _items(message: Message, endpoint: Endpoint, thinking: bool) -> Iterator[dict[str, Any]]:
    if message.role == "assistant":
        yield from _answered(message, endpoint, thinking)
    elif message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResult):
                call = fitting(part.id, endpoint.ids)
                yield {"type": "function_call_output", "call_id": call, "output": part.text}
    else:
        yield {"role": "developer" if message.role == "system" else "user", "content": _content(message)}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not any(isinstance(part, Image) for part in message.parts):
        return message.text
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Image):
            content.append({"type": "input_image", "image_url": data_url(part), "detail": "auto"})
        elif isinstance(part, Text) and part.text:
            content.append({"type": "input_text", "text": part.text})
    return content


def _answered(message: Message, endpoint: Endpoint, thinking: bool) -> Iterator[dict[str, Any]]:
    """What the model wrote, in order. A thought is refused without the item that it led to, an id without its thought.

    So thoughts wait for what follows them, and ids are sent only where all thoughts are.
    """
    thoughts = [part for part in message.parts if isinstance(part, Reasoning)]
    known = thinking and bool(thoughts) and all(own(part, endpoint.name).get("encrypted_content") for part in thoughts)
    waiting: list[dict[str, Any]] = []
    for part in message.parts:
        back = own(part, endpoint.name)
        if isinstance(part, Reasoning) and thinking and back.get("encrypted_content"):
            waiting.append(dict(back))
        elif item := _item(part, back, known, endpoint):
            yield from waiting
            waiting = []
            yield item


def _item(part: Part, back: Mapping[str, Any], known: bool, endpoint: Endpoint) -> dict[str, Any] | None:
    mark = {"id": back["id"]} if known and "id" in back else {}
    if isinstance(part, ToolCall):
        call = fitting(part.id, endpoint.ids)
        name, arguments = callable_as(part.name, NAMES), arguments_text(part.arguments)
        return {"type": "function_call", "call_id": call, "name": name, "arguments": arguments, **mark}
    if not isinstance(part, Text) or not part.text:
        return None
    phase = {"phase": back["phase"]} if back.get("phase") else {}
    if not mark:
        return {"role": "assistant", "content": part.text, **phase}
    content = [{"type": "output_text", "text": part.text, "annotations": []}]
    return {"type": "message", "role": "assistant", "status": "completed", "content": content, **mark, **phase}


WIRE = Wire(lambda model: "/responses", bearer, encode_tools, encode_request, absorb)
