"""The OpenAI chat stream: chunks of JSON in, deltas out, a whole message at the end."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from assent.core.messages import Message, Part, Reasoning, Text, ToolCall
from assent.core.model import Answer, CallDelta, Delta, ReasoningDelta, TextDelta, Usage

STOPS = {"tool_calls": "calls", "function_call": "calls", "length": "length", "content_filter": "filter"}


@dataclass(slots=True)
class Call:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extra: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Draft:
    """An answer as far as it has come. `finished` is the vendor's reason for stopping, once it gave one."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    slots: dict[int, int] = field(default_factory=dict)  # the vendor's index of a call → its place in `calls`
    usage: Usage = field(default_factory=Usage)
    finished: str = ""
    model: str = ""


def absorb(draft: Draft, chunk: Mapping[str, Any]) -> Iterator[Delta]:
    """Add one chunk (or a whole unstreamed completion) to the draft; what is new."""
    if usage := chunk.get("usage"):
        draft.usage = read_usage(usage)
    draft.model = chunk.get("model") or draft.model
    for choice in (chunk.get("choices") or ())[:1]:
        draft.finished = choice.get("finish_reason") or draft.finished
        yield from _absorb_delta(draft, choice.get("delta") or choice.get("message") or {})


def finish(draft: Draft, call_prefix: str) -> Answer:
    """The answer that the draft has become. Calls without an id of their own are named `call_prefix` and a number."""
    parts: list[Part] = []
    if draft.reasoning:
        parts.append(Reasoning("".join(draft.reasoning)))
    if draft.text:
        parts.append(Text("".join(draft.text)))
    seen: set[str] = set()
    for number, call in enumerate(draft.calls):
        name = call.id if call.id and call.id not in seen else f"{call_prefix}_{number}"
        seen.add(name)
        parts.append(ToolCall(name, call.name, "".join(call.arguments) or "{}", call.extra))
    stop = STOPS.get(draft.finished, "stop")
    if draft.calls and stop == "stop":
        stop = "calls"
    return Answer(Message("assistant", tuple(parts)), draft.usage, stop, draft.model)


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Tokens as vendors report them; what they leave out is None."""
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    cached = prompt.get("cached_tokens")
    cost = usage.get("cost")
    return Usage(
        input=_tokens(usage.get("prompt_tokens")),
        output=_tokens(usage.get("completion_tokens")),
        cached=_tokens(usage.get("prompt_cache_hit_tokens") if cached is None else cached),
        reasoning=_tokens(completion.get("reasoning_tokens")),
        cost=Decimal(str(cost)) if isinstance(cost, int | float) else None,
    )


def _tokens(value: Any) -> int | None:
    """A number of tokens; some servers send it as a float, others send something else altogether."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _absorb_delta(draft: Draft, delta: Mapping[str, Any]) -> Iterator[Delta]:
    thought = delta.get("reasoning_content") or delta.get("reasoning")
    if thought and isinstance(thought, str):
        draft.reasoning.append(thought)
        yield ReasoningDelta(thought)
    content = delta.get("content")
    if content:
        yield from _absorb_content(draft, content)
    for call in delta.get("tool_calls") or ():
        yield _absorb_call(draft, call)


def _absorb_content(draft: Draft, content: Any) -> Iterator[Delta]:
    """Text, or Mistral's list of typed pieces, where thinking is a list of its own."""
    if isinstance(content, str):
        draft.text.append(content)
        yield TextDelta(content)
        return
    for piece in content:
        if piece.get("type") == "thinking":
            thought = "".join([part.get("text", "") for part in piece.get("thinking", ())])
            draft.reasoning.append(thought)
            yield ReasoningDelta(thought)
        elif text := piece.get("text"):
            draft.text.append(text)
            yield TextDelta(text)


def _absorb_call(draft: Draft, delta: Mapping[str, Any]) -> CallDelta:
    function = delta.get("function") or {}
    place = _place(draft, delta.get("index"), delta.get("id"), function.get("name"))
    call = draft.calls[place]
    call.id = call.id or delta.get("id") or ""
    call.extra = call.extra or ({"extra_content": extra} if (extra := delta.get("extra_content")) else None)
    name = "" if call.name else str(function.get("name") or "")  # some repeat the name in every chunk
    call.name = call.name or name
    arguments = function.get("arguments") or ""
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    call.arguments.append(arguments)
    return CallDelta(place, name, arguments)


def _place(draft: Draft, index: int | None, call_id: str | None, name: str | None) -> int:
    """Which call a piece belongs to. Some servers leave the index out, or give every parallel call the index 0."""
    place = len(draft.calls) - 1 if index is None else draft.slots.get(index, -1)
    known = draft.calls[place].id if place >= 0 else ""
    begins = place < 0 or bool(name and call_id and known and call_id != known)
    if index is None and name and not call_id and place >= 0 and draft.calls[place].name:
        begins = True
    if begins:
        draft.calls.append(Call())
        place = len(draft.calls) - 1
    if index is not None:
        draft.slots[index] = place
    return place
