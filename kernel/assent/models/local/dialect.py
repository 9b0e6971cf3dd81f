"""How a small model is asked for tool calls and typed answers: as one JSON object that a grammar holds it to.

llama.cpp does not enforce `tools`, so each answer is constrained to the union of `{"tool", "arguments"}` and
`{"answer"}`, and examples show the model when to write which. An answer with a schema is an object under "answer".
Rendering is stable: what was rendered for one step is a prefix of the next one's, so the model's own prompt cache
serves it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assent.core.messages import Message, ToolCall, ToolResult
from assent.core.model import OutputSchema, Request, ToolSpec
from assent.models.local.examples import EXAMPLES
from assent.models.wires.schema import strict

RESULT_LIMIT = 2000  # characters of one result; about 700 of the context's tokens
RETRY_TEMPERATURE = 0.7  # at 0 a failed query comes back word for word

Turn = dict[str, str]

_encode = json.JSONEncoder(ensure_ascii=False).encode


def render(request: Request) -> list[Turn]:
    """The request's conversation as the chat turns that the model reads."""
    tools = _offered(request)
    first, rest = "", list(request.messages)
    if rest and rest[0].role == "system":
        first = rest.pop(0).text
    told = _system(first, tools, request.output)
    head = [{"role": "system", "content": told}] if told else []
    return [*head, *_examples(tools), *[_turn(message, request.output is not None) for message in rest]]


def schema(request: Request) -> dict[str, Any] | None:
    """What the answer is held to: a call of one of the tools or the final answer; None for plain text."""
    tools = [tool for tool in _offered(request) if request.tool_choice in ("auto", "required", tool.name)]
    if not tools and request.output is None:
        return None
    final, final_definitions = _final(request.output)
    if not tools or (request.tool_choice == "auto" and goes_round(request.messages)):
        return final | ({"$defs": final_definitions} if final_definitions else {})
    calls = [_object({"tool": {"const": tool.name}, "arguments": _arguments(tool)}) for tool in tools]
    definitions = {name: value for tool in tools for name, value in tool.schema.get("$defs", {}).items()}
    forms = [*calls, final] if request.tool_choice == "auto" else calls
    return {"anyOf": forms, "$defs": definitions | final_definitions}


def temperature(request: Request) -> float:
    """The temperature to sample at: the request's, or 0; raised after a call that failed."""
    wanted = request.temperature or 0.0
    last = request.messages[-1].parts if request.messages else ()
    failed = any(isinstance(part, ToolResult) and part.error for part in last)
    return max(wanted, RETRY_TEMPERATURE) if failed else wanted


def goes_round(messages: Sequence[Message]) -> bool:
    """Whether one call has succeeded twice since the person last spoke: then only an answer can help."""
    calls: dict[str, ToolCall] = {}
    succeeded: list[tuple[str, str]] = []
    for message in messages:
        if message.role == "user":
            succeeded.clear()
        for part in message.parts:
            if isinstance(part, ToolCall):
                calls[part.id] = part
            elif isinstance(part, ToolResult) and not part.error and (call := calls.get(part.id)):
                succeeded.append((call.name, call.arguments))
    return len(succeeded) > len(set(succeeded))


def _offered(request: Request) -> Sequence[ToolSpec]:
    return () if request.tool_choice == "none" else request.tools


def _final(output: OutputSchema | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of the final answer, and the definitions that it refers to."""
    if output is None:
        return _object({"answer": {"type": "string"}}), {}
    closed, _ = strict(output.schema)
    definitions = closed.pop("$defs", {})
    return _object({"answer": closed}), definitions


def _system(instructions: str, tools: Sequence[ToolSpec], output: OutputSchema | None) -> str:
    if not tools and output is None:
        return instructions
    forms = [f"{tool.name}: {tool.description} {_form(tool)}" for tool in tools]
    rule = "Reply with one JSON object: a call of a tool, or the answer once a result holds it."
    final = 'answer: {"answer": string}'
    if output is not None:
        final = f'answer: {{"answer": object}}, the object of this JSON Schema: {_encode(dict(output.schema))}'
    return "\n".join([instructions, "", rule if tools else "Reply with one JSON object.", *forms, final]).lstrip()


def _form(tool: ToolSpec) -> str:
    properties: Mapping[str, Any] = tool.schema.get("properties", {})
    fields = ", ".join(f'"{name}": {value.get("type", "any")}' for name, value in properties.items())
    return f'{{"tool": "{tool.name}", "arguments": {{{fields}}}}}'


def _examples(tools: Sequence[ToolSpec]) -> Iterator[Turn]:
    """The examples whose tool is offered and takes one text, under that argument's own name."""
    arguments = {tool.name: name for tool in tools if (name := _only_argument(tool))}
    for example in EXAMPLES if arguments else ():
        if example.tool and example.tool not in arguments:
            continue
        yield {"role": "user", "content": example.question}
        if example.tool:
            written = _encode({arguments[example.tool]: example.argument})
            yield {"role": "assistant", "content": _written(example.tool, written)}
            yield {"role": "user", "content": _result(example.tool, example.result, error=False)}
        yield {"role": "assistant", "content": _encode({"answer": example.answer})}


def _only_argument(tool: ToolSpec) -> str | None:
    required = tool.schema.get("required") or list(tool.schema.get("properties", {}))
    return required[0] if len(required) == 1 else None


def _turn(message: Message, formed: bool) -> Turn:
    if message.role in ("user", "system"):
        return {"role": message.role, "content": message.text}
    if message.role == "tool":
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        return {"role": "user", "content": "\n\n".join([_result(r.name, r.text, r.error) for r in results])}
    calls = [_written(call.name, call.arguments) for call in message.calls]
    answer = message.text if formed and message.text.startswith("{") else _encode(message.text)
    return {"role": "assistant", "content": "\n".join(calls) or f'{{"answer": {answer}}}'}


def _written(tool: str, arguments: str) -> str:
    return f'{{"tool": {_encode(tool)}, "arguments": {arguments}}}'


def _result(tool: str, text: str, error: bool) -> str:
    over = len(text) - RESULT_LIMIT
    kept = f"{text[:RESULT_LIMIT]}\n({over} more characters)" if over > 0 else text
    return f"Error from {tool}:\n{kept}\nCorrect the call." if error else f"Result of {tool}:\n{kept}"


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _arguments(tool: ToolSpec) -> dict[str, Any]:
    """The tool's own schema, closed, its definitions left to the root where references look for them."""
    own = {name: value for name, value in tool.schema.items() if name != "$defs"}
    return {"type": "object", "properties": {}, "additionalProperties": False} | own
