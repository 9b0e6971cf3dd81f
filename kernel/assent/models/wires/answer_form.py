"""How a model is held to a schema that its vendor has no field for: by a tool, or by words."""

import json
from collections.abc import Sequence
from dataclasses import replace

from assent.core.messages import Message, Text
from assent.core.model import OutputSchema, Request, ToolSpec

TOOL = "final_answer"  # its arguments are the answer


def formed(request: Request, output: OutputSchema, way: str) -> tuple[Request, str]:
    """The request that holds a model to a schema in the vendor's way, and the tool by which it answers, "" for none.

    `way` is `Endpoint.structured`.
    """
    if way == "grammar":
        way = "prompt" if request.tools else "native"
    if way == "tool":
        tool = ToolSpec(TOOL, "Give the final answer. Call it alone, once everything is known.", output.schema)
        choice = "required" if request.tool_choice == "auto" else request.tool_choice
        return replace(request, tools=(*request.tools, tool), tool_choice=choice, output=None), TOOL
    if way == "prompt":
        return replace(request, messages=_told(request.messages, output), output=None), ""
    return request, ""


def in_words(output: OutputSchema) -> str:
    """What a model is told that can be held to the schema in no other way."""
    schema = json.dumps(output.schema, ensure_ascii=False)
    return f"Give the final answer as JSON alone, without any words around it, of this JSON Schema: {schema}"


def _told(messages: Sequence[Message], output: OutputSchema) -> list[Message]:
    """The conversation with the schema told in its first system message."""
    words = in_words(output)
    for at, message in enumerate(messages):
        if message.role == "system":
            more = Message("system", (*message.parts, Text(f"\n\n{words}")))
            return [*messages[:at], more, *messages[at + 1 :]]
    return [Message("system", (Text(words),)), *messages]
