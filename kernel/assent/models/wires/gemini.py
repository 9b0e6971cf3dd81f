"""The Gemini generateContent format: requests.

Source: https://ai.google.dev/api/generate-content
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from assent.core.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult
from assent.core.model import Request, ToolSpec
from assent.models.endpoints import Endpoint
from assent.models.wires.call_names import callable_as
from assent.models.wires.gemini_stream import SIGNATURE, absorb
from assent.models.wires.wire import Wire, arguments_of, dump, kept, own

NAMES = "[a-zA-Z_][a-zA-Z0-9_.-]{0,63}"

# What a model that thinks takes for the signature of a call that it did not propose itself; without one Gemini 3
# refuses the request, and some say that 2.5 has begun to.
# Source: https://ai.google.dev/gemini-api/docs/thought-signatures#faqs
UNSIGNED = "skip_thought_signature_validator"

# Tokens to think with for Gemini 2.5; later ones are told a level.
# Source: https://ai.google.dev/gemini-api/docs/thinking
BUDGETS = {"none": 0, "low": 1024, "medium": 8192, "high": 24576}
LEAST_OF_PRO = 128  # its thinking cannot be turned off

_UNTHINKING = re.compile(r"gemini-(1\.|2\.0)|(?!gemini)")
_MINIMAL = re.compile(r"gemini-3(\.[0-6])?-flash")  # later Flash and every Pro model think a little at least
_USER, _MODEL = b'{"role":"user","parts":[', b'{"role":"model","parts":['
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_LITERALS = frozenset({"enum", "default", "examples"})


def path(model: str) -> str:
    """Where a model is asked; its name may already say what it is (`models/…`, `tunedModels/…`)."""
    return f"/{quote(model if '/' in model else f'models/{model}')}:streamGenerateContent?alt=sse"


def headers(key: str) -> Mapping[str, str]:
    """The header that holds the key; Gemini would take it in the URL too, where it ends in logs."""
    return {"x-goog-api-key": key} if key else {}


def encode_request(request: Request, model: str, endpoint: Endpoint, tools: bytes) -> bytes:
    """The body of a request: the bytes that each message already has, joined into turns, and small settings."""
    name = model.rpartition("/")[2]
    system, turns = _turns(request.messages, endpoint.name, "" if _UNTHINKING.match(name) else UNSIGNED)
    pieces = [b'{"contents":[', *turns, b"]"]
    if system:
        pieces.append(b',"systemInstruction":{"parts":[' + b",".join(system) + b"]}")
    if tools:
        pieces.append(b',"tools":' + tools)
        if choice := _choice(request.tool_choice):
            pieces.append(b',"toolConfig":' + dump({"functionCallingConfig": choice}))
    if config := _config(request, name):
        pieces.append(b',"generationConfig":' + dump(config))
    return b"".join([*pieces, b"}"])


def encode_tools(tools: Sequence[ToolSpec]) -> bytes:
    """The list of tools as JSON."""
    declared = [
        {"name": tool.name, "description": tool.description, "parametersJsonSchema": understood(tool.schema)}
        for tool in tools
    ]
    return dump([{"functionDeclarations": declared}])


def encode_message(message: Message, vendor: str, given: Mapping[str, str], unsigned: str) -> bytes:
    """A message's parts as JSON objects, joined by commas.

    `given` are Gemini's own ids of calls, by ours; `unsigned` signs the first call where Gemini did not, "" for none.
    """
    return b",".join([dump(value) for value in _values(message, vendor, given, unsigned)])


def understood(schema: Any) -> Any:
    """A JSON Schema as Gemini reads it: it knows `enum`, but passes over `const`."""
    if isinstance(schema, list):
        return [understood(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: _understood_member(key, value) for key, value in schema.items()}
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made


def _understood_member(key: str, value: Any) -> Any:
    if key in _NAMED_SCHEMAS and isinstance(value, Mapping):
        return {name: understood(item) for name, item in value.items()}
    return value if key in _LITERALS or key == "const" else understood(value)


def _turns(messages: Sequence[Message], vendor: str, unsigned: str) -> tuple[list[bytes], list[bytes]]:
    """What the system says, as parts, and the turns, in pieces to be joined: neighbours of one role are one turn."""
    slot = f"{vendor} {unsigned}" if unsigned else vendor
    system: list[bytes] = []
    turns: list[bytes] = []
    last = None
    for at, message in enumerate(messages):
        if (parts := message.encoded.get(slot)) is None:
            make = partial(encode_message, vendor=vendor, given=_given(messages, at, vendor), unsigned=unsigned)
            parts = kept(message, slot, make)
        if not parts:
            continue
        if message.role == "system":
            system.append(parts)
            continue
        opening = _MODEL if message.role == "assistant" else _USER
        if opening is last:
            turns += (b",", parts)
        else:
            turns += (b"]}," if last else b"", opening, parts)
        last = opening
    return system, [*turns, b"]}"] if last else [_USER, b'{"text":""}]}']


def _given(messages: Sequence[Message], at: int, vendor: str) -> dict[str, str]:
    """The ids that Gemini gave to the calls which the results at that place answer, by ours."""
    if messages[at].role != "tool":
        return {}
    asked = next((message.calls for message in reversed(messages[:at]) if message.calls), [])
    return {call.id: given for call in asked if (given := own(call, vendor).get("id"))}


def _values(message: Message, vendor: str, given: Mapping[str, str], unsigned: str) -> Iterator[dict[str, Any]]:
    for part in message.parts:
        signature = own(part, vendor).get(SIGNATURE)
        signed = {SIGNATURE: signature} if signature else {}
        match part:
            case Text():
                if part.text or signed or (message.role == "user" and len(message.parts) == 1):
                    yield {"text": part.text, **signed}
            case Image():
                data = base64.b64encode(part.data).decode()
                yield {"inlineData": {"mimeType": part.media_type, "data": data}}
            case Reasoning():
                if signed:
                    yield {"text": part.text, "thought": True, **signed}
            case ToolCall():
                if unsigned and not signed:
                    signed = {SIGNATURE: unsigned}
                unsigned = ""  # of parallel calls only the first is signed
                yield {"functionCall": _call(part, vendor), **signed}
            case ToolResult():
                yield {"functionResponse": _result(part, given)}


def _call(call: ToolCall, vendor: str) -> dict[str, Any]:
    given = own(call, vendor).get("id")
    return {
        **({"id": given} if given else {}),
        "name": callable_as(call.name, NAMES),
        "args": arguments_of(call.arguments),
    }


def _result(result: ToolResult, given: Mapping[str, str]) -> dict[str, Any]:
    response = {"error" if result.error else "output": result.text}
    named = {"id": given[result.id]} if result.id in given else {}
    return {**named, "name": callable_as(result.name, NAMES), "response": response}


def _choice(choice: str) -> dict[str, Any]:
    """How tools may be called, {} where the model is free to."""
    if choice in ("auto", "none", "required"):
        return {} if choice == "auto" else {"mode": {"none": "NONE", "required": "ANY"}[choice]}
    return {"mode": "ANY", "allowedFunctionNames": [choice]}


def _config(request: Request, name: str) -> dict[str, Any]:
    settings = {"temperature": request.temperature, "maxOutputTokens": request.max_tokens}
    config: dict[str, Any] = {key: value for key, value in settings.items() if value is not None}
    if request.output is not None:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = understood(request.output.schema)
    if request.effort is not None and (thinking := _thinking(name, request.effort)):
        config["thinkingConfig"] = thinking
    return config


def _thinking(name: str, effort: str) -> dict[str, Any]:
    """How much to think, {} for a model that cannot; "none" is the least that the model allows."""
    shown = {"includeThoughts": True} if effort != "none" else {}
    if _UNTHINKING.match(name):
        return {}
    if name.startswith("gemini-2.5"):
        least = LEAST_OF_PRO if name.startswith("gemini-2.5-pro") else 0
        return {"thinkingBudget": max(BUDGETS[effort], least), **shown}
    if effort == "none":
        return {"thinkingLevel": "minimal" if _MINIMAL.match(name) else "low"}
    return {"thinkingLevel": effort, **shown}


WIRE = Wire(path, headers, encode_tools, encode_request, absorb)
