"""The Anthropic Messages format: requests.

A turn's content is a list of blocks; turns alternate between user and assistant, and the user has the first and the
last. Source: https://platform.claude.com/docs/en/api/messages
"""

import base64
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from assent.core.messages import Image, Message, Part, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Request, ToolSpec
from assent.models.endpoints import Endpoint
from assent.models.wires import claude
from assent.models.wires.answer_form import in_words
from assent.models.wires.anthropic_stream import BLOCK, REDACTED, SIGNATURE, absorb
from assent.models.wires.call_ids import fitting
from assent.models.wires.call_names import callable_as
from assent.models.wires.outline import outline
from assent.models.wires.wire import Wire, arguments_text, dump, kept, own

VERSION = "2023-06-01"
IDS = "[a-zA-Z0-9_-]+"
NAMES = "[a-zA-Z0-9_-]{1,128}"
CACHED = b',"cache_control":{"type":"ephemeral"}'  # everything up to this block may be read from the cache next time
GO_ON = dump({"type": "text", "text": "Go on."})  # where a turn of the user's is needed and there is none
THOUGHTS = ("thinking", "redacted_thinking")

_THOUGHT = tuple(dump({"type": kind})[:-1] for kind in THOUGHTS)
_FIRST = b'{"role":"user","content":['
_USER, _ASSISTANT = b"]}," + _FIRST, b']},{"role":"assistant","content":['


def headers(key: str) -> Mapping[str, str]:
    """The version of the format, and the key where there is one."""
    return {"anthropic-version": VERSION, **({"x-api-key": key} if key else {})}


def encode_request(request: Request, model: str, endpoint: Endpoint, tools: bytes) -> bytes:
    """The body of a request: small head, then the bytes that each message already has.

    From one step to the next, what was sent stays as it was but for the marks of the cache: at the end of what
    the system says, of the last turn, and of the user's turn before, where the last request had its mark.
    """
    system, pieces, ends = _turns(request.messages, endpoint)
    head, words = _head(request, model, endpoint.name, bool(tools))
    if system:
        system[-1] = _marked(system[-1])
    elif tools:
        tools = _marked(tools[:-1]) + b"]"
    for at in ends[-2:]:
        pieces[at] = _marked(pieces[at])
    body = [dump(head)[:-1]]
    if system or words:
        body += [b',"system":[', b",".join([*system, *words]), b"]"]
    if tools:
        body += [b',"tools":', tools]
    return b"".join([*body, b',"messages":[', _FIRST, *pieces, b"]}]}"])


def encode_message(message: Message, vendor: str) -> bytes:
    """A message's blocks as JSON objects, joined by commas; empty where nothing of it can be told."""
    if message.role == "system":
        return dump(_text(message.text)) if message.text.strip() else b""
    if message.role != "assistant":
        parts = sorted(message.parts, key=lambda part: not isinstance(part, ToolResult))  # it wants them first
        return b",".join([dump(block) for part in parts if (block := _said(part))])
    written = [made for part in message.parts if (made := _written(part, vendor))]
    while written and written[-1][0] in THOUGHTS:  # a turn may not end in a thought
        written.pop()
    return b",".join([block for _, block in written])


def encode_tools(tools: Sequence[ToolSpec]) -> bytes:
    """The list of tools as JSON."""
    return dump(
        [
            {
                "name": tool.name,
                **({"description": tool.description} if tool.description else {}),
                "input_schema": {"type": "object", **tool.schema},
            }
            for tool in tools
        ]
    )


def _head(request: Request, model: str, vendor: str, tools: bool) -> tuple[dict[str, Any], list[bytes]]:
    """The request without its conversation, and what the system must say of the answer's form."""
    most = request.max_tokens or claude.limit(model)
    effort = None if claude.version(model) < claude.ADAPTIVE and _unthought(request, vendor) else request.effort
    thought = claude.thinking(model, effort, most)
    head: dict[str, Any] = {"model": model, "max_tokens": most, "stream": True}
    if thought:
        head["thinking"] = thought
    if request.temperature is not None and claude.heats(model, thought):
        head["temperature"] = min(request.temperature, 1.0)
    if tools:
        head["tool_choice"] = _choice(request.tool_choice, claude.forced(model, thought))
    config: dict[str, Any] = {"effort": level} if (level := claude.effort_of(model, request.effort)) else {}
    words = []
    if request.output is not None:
        if claude.shaped(model) and (schema := outline(request.output.schema)):
            config["format"] = {"type": "json_schema", "schema": schema}
        else:
            words.append(dump(_text(in_words(request.output))))
    return ({**head, "output_config": config} if config else head), words


def _choice(choice: str, forced: bool) -> dict[str, str]:
    if choice in ("auto", "none"):
        return {"type": choice}
    if not forced:
        return {"type": "auto"}
    return {"type": "any"} if choice == "required" else {"type": "tool", "name": choice}


def _unthought(request: Request, vendor: str) -> bool:
    """Whether results come to calls that another vendor proposed: who needs a budget must have begun with a thought.

    Of the messages as they are told: one of which nothing is told does not stand between a call and what follows.
    """
    for message in reversed(request.messages):
        if message.role == "assistant" and (told := message.encoded.get(vendor)):
            return bool(message.calls) and not told.startswith(_THOUGHT)
    return False


def _turns(messages: Sequence[Message], endpoint: Endpoint) -> tuple[list[bytes], list[bytes], list[int]]:
    """What the system says, as blocks; the turns, in pieces after `_FIRST`; where in them the user's turns end.

    Neighbours of one role are one turn, whose results come first.
    """
    make = partial(encode_message, vendor=endpoint.name)
    system: list[bytes] = []
    pieces: list[bytes] = []
    ends: list[int] = []
    users, begin, results = True, 0, 0  # whose turn it is, where it begins, where its results end
    for message in messages:
        if not (blocks := kept(message, endpoint.name, make)):
            continue
        role = message.role
        if role == "system":
            system.append(blocks)
            continue
        if users and role == "assistant":
            _end(pieces, ends)
            pieces.append(_ASSISTANT)
            users = False
        elif not users and role != "assistant":
            pieces.append(_USER)
            users, begin, results = True, len(pieces), len(pieces)
        elif role == "tool" and results < len(pieces):
            results = _insert(pieces, blocks, begin, results)
            continue
        elif pieces:
            pieces.append(b",")
        pieces.append(blocks)
        if role == "tool":
            results = len(pieces)
    if not users:
        pieces += [_USER, GO_ON]
    _end(pieces, ends)
    return system, pieces, ends


def _end(pieces: list[bytes], ends: list[int]) -> None:
    """End a turn of the user's; the first may still be empty."""
    if not pieces:
        pieces.append(GO_ON)
    ends.append(len(pieces) - 1)


def _insert(pieces: list[bytes], blocks: bytes, begin: int, results: int) -> int:
    """Put results that come late before the words of their turn; where the turn's results end now."""
    pieces[results:results] = [b",", blocks] if results > begin else [blocks, b","]
    return results + (2 if results > begin else 1)


def _marked(blocks: bytes) -> bytes:
    """The same blocks with the mark of the cache in the last."""
    return blocks[:-1] + CACHED + b"}"


def _said(part: Part) -> dict[str, Any]:
    """A block of the user's, {} where there is nothing to tell: empty text is refused."""
    match part:
        case Text() if part.text.strip():
            return _text(part.text)
        case Image():
            data = base64.b64encode(part.data).decode()
            return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": data}}
        case ToolResult():
            text = part.text or ("It failed." if part.error else "")  # an error without words is refused
            call = fitting(part.id, IDS)
            return {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": part.error}
    return {}


def _written(part: Part, vendor: str) -> tuple[str, bytes] | None:
    """A block of the assistant's with its type; None for what this vendor must not see or would refuse."""
    match part:
        case Text() if part.text.strip():
            return "text", dump(_text(part.text))
        case Reasoning() if block := _thought(part, own(part, vendor)):
            return block["type"], dump(block)
        case ToolCall():
            call = dump({"type": "tool_use", "id": fitting(part.id, IDS), "name": callable_as(part.name, NAMES)})
            written = arguments_text(part.arguments).encode("utf-8", "replace")
            return "tool_use", call[:-1] + b',"input":' + written + b"}"
    return None


def _thought(part: Reasoning, extra: Mapping[str, Any]) -> dict[str, Any]:
    if SIGNATURE in extra:
        return {"type": "thinking", "thinking": part.text, "signature": extra[SIGNATURE]}
    if REDACTED in extra:
        return {"type": "redacted_thinking", "data": extra[REDACTED]}
    return dict(extra.get(BLOCK) or {})


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


WIRE = Wire(lambda model: "/v1/messages", headers, encode_tools, encode_request, absorb)
