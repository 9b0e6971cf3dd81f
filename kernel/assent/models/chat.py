"""The OpenAI chat-completions wire format, for every server that speaks it."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from assent.core.messages import Message, ToolCall, ToolResult
from assent.core.model import Answer, Delta, Request, ToolSpec
from assent.models import failures, sse
from assent.models.chat_stream import Draft, absorb, finish
from assent.models.endpoints import Endpoint
from assent.models.http import SILENCE, Connections, Reply, drain

DONE = b"[DONE]"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


class ChatModel:
    """A model behind an OpenAI-compatible server. Owns its connections: `aclose` when done."""

    def __init__(self, endpoint: Endpoint, model: str, base_url: str, key: str = "", silence: float = SILENCE) -> None:
        self.name = f"{endpoint.name}:{model}"
        self._model = model
        self._endpoint = endpoint
        self._key = key
        self._http = Connections(endpoint, base_url, key, silence)
        self._tools: tuple[tuple[ToolSpec, ...], bytes] = ((), b"")

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        """Deltas, then the answer."""
        draft, heard = Draft(), False
        async with self._http.post(self._body(request), self._model) as reply:
            async for payload in payloads(reply):
                heard = True
                if payload == DONE:
                    draft.finished = draft.finished or "stop"
                    continue
                for delta in self._absorbed(draft, payload):
                    yield delta
        if not heard:
            raise failures.not_chat(self._endpoint, self._http.place)
        if not draft.finished:
            raise failures.cut(self._endpoint)
        yield finish(draft, f"call_{len(request.messages)}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _absorbed(self, draft: Draft, payload: bytes) -> list[Delta]:
        try:
            chunk = json.loads(payload)
        except ValueError:
            raise failures.cut(self._endpoint) from None
        try:
            if error := chunk.get("error"):
                raise failures.reported(self._endpoint, error, self._key)
            return list(absorb(draft, chunk))
        except (AttributeError, TypeError, LookupError):  # JSON, but of another shape
            raise failures.not_chat(self._endpoint, self._http.place) from None

    def _body(self, request: Request) -> bytes:
        tools = tuple(request.tools)
        if tools != self._tools[0]:
            self._tools = (tools, encode_tools(tools))
        return encode_request(request, self._model, self._endpoint, self._tools[1])


async def payloads(reply: Reply) -> AsyncIterator[bytes]:
    """The JSON texts in a reply, and `DONE`: one for each event, or one for all where the server did not stream."""
    kind = reply.content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        yield b"".join([chunk async for chunk in reply.chunks])
    elif kind != "text/html":
        buffer = b""
        async for chunk in reply.chunks:
            complete, buffer = sse.split(buffer + chunk)
            for payload in complete:
                yield payload
                if payload == DONE:
                    await drain(reply)
                    return
        for payload in sse.rest(buffer):
            yield payload


def encode_request(request: Request, model: str, endpoint: Endpoint, tools: bytes) -> bytes:
    """The body of a request: small head, then the bytes that each message already has."""
    head: dict[str, Any] = {"model": model, "stream": True, "stream_options": {"include_usage": True}}
    if request.temperature is not None:
        head["temperature"] = request.temperature
    if request.max_tokens is not None:
        head[endpoint.limit] = request.max_tokens
    if tools and request.tool_choice != "auto":
        named = request.tool_choice not in ("none", "required")
        choice = {"type": "function", "function": {"name": request.tool_choice}}
        head["tool_choice"] = choice if named else request.tool_choice
    slot = _slot(endpoint.reasoning)
    encoded = [message.encoded.get(slot) or encode_message(message, endpoint.reasoning) for message in request.messages]
    tail = b',"tools":' + tools if tools else b""
    return _encode(head).encode()[:-1] + tail + b',"messages":[' + b",".join(encoded) + b"]}"


def encode_message(message: Message, reasoning: str = "") -> bytes:
    """A message as JSON, kept in `message.encoded`; several tool results are several objects, joined by commas.

    `reasoning` is the field in which the vendor wants its own thinking back, "" for none.
    """
    slot = _slot(reasoning)
    if (made := message.encoded.get(slot)) is None:
        text = ",".join([_encode(value) for value in _values(message, reasoning)])
        made = message.encoded[slot] = text.encode("utf-8", "replace")  # half a surrogate pair is no UTF-8
    return made


def encode_tools(tools: Iterable[ToolSpec]) -> bytes:
    """The list of tools as JSON; nothing for no tools."""
    functions = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
        }
        for tool in tools
    ]
    return _encode(functions).encode("utf-8", "replace") if functions else b""


def _slot(reasoning: str) -> str:
    """Under which name a message keeps its bytes: other reasoning fields make other bytes."""
    return f"chat+{reasoning}" if reasoning else "chat"


def _values(message: Message, reasoning: str) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.id, "content": part.text}
        return
    value: dict[str, Any] = {"role": message.role, "content": message.text}
    if calls := message.calls:
        value["content"] = message.text or None
        value["tool_calls"] = [_call(call) for call in calls]
    if reasoning and message.reasoning:
        value[reasoning] = message.reasoning
    yield value


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": _arguments(call.arguments)}
    return {"id": call.id, "type": "function", "function": function, **(call.extra or {})}


def _arguments(text: str) -> str:
    """The arguments as the model wrote them, if they are a JSON object: some servers answer 500 to anything else."""
    try:
        valid = isinstance(json.loads(text), dict)
    except ValueError:
        valid = False
    return text if valid else _encode({"invalid": text})
