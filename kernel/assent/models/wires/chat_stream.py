"""The OpenAI chat-completions format: answers, streamed or whole."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from assent.core.messages import Reasoning, ToolCall
from assent.core.model import Delta, Usage
from assent.models.endpoints import Endpoint
from assent.models.wires.draft import Draft
from assent.models.wires.wire import Broken, tokens

STOPS = {"tool_calls": "calls", "function_call": "calls", "length": "length", "content_filter": "filter"}


def absorb(draft: Draft, chunk: Mapping[str, Any], endpoint: Endpoint) -> Iterator[Delta]:
    """Add one chunk (or a whole unstreamed completion) to the draft; what is new."""
    if error := chunk.get("error"):
        raise Broken(error)
    if usage := chunk.get("usage"):
        draft.usage = read_usage(usage)
    draft.model = chunk.get("model") or draft.model
    for choice in (chunk.get("choices") or ())[:1]:
        if error := choice.get("error"):
            raise Broken(error)
        if reason := choice.get("finish_reason"):
            draft.stop = STOPS.get(reason, "stop")
        yield from _absorb_delta(draft, choice.get("delta") or choice.get("message") or {}, endpoint)


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Tokens as vendors report them; what they leave out is None."""
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    cached = prompt.get("cached_tokens")
    cost = usage.get("cost")
    return Usage(
        input=tokens(usage.get("prompt_tokens")),
        output=tokens(usage.get("completion_tokens")),
        cached=tokens(usage.get("prompt_cache_hit_tokens") if cached is None else cached),
        reasoning=tokens(completion.get("reasoning_tokens")),
        cost=Decimal(str(cost)) if isinstance(cost, int | float) else None,
    )


def _absorb_delta(draft: Draft, delta: Mapping[str, Any], endpoint: Endpoint) -> Iterator[Delta]:
    thought = delta.get("reasoning_content") or delta.get("reasoning")
    if thought and isinstance(thought, str):
        yield from draft.reasoning(thought)
    if endpoint.details and (details := delta.get(endpoint.details)):
        draft.piece(Reasoning, "reasoning").extra.setdefault(endpoint.details, []).extend(details)
    content = delta.get("content")
    if content:
        yield from _absorb_content(draft, content)
    for call in delta.get("tool_calls") or ():
        yield from _absorb_call(draft, call)


def _absorb_content(draft: Draft, content: Any) -> Iterator[Delta]:
    """Text, or Mistral's list of typed pieces, where thinking is a list of its own."""
    if isinstance(content, str):
        yield from draft.text(content)
        return
    for piece in content:
        if piece.get("type") == "thinking":
            yield from draft.reasoning("".join([part.get("text", "") for part in piece.get("thinking", ())]))
        elif text := piece.get("text"):
            yield from draft.text(text)


def _absorb_call(draft: Draft, delta: Mapping[str, Any]) -> Iterator[Delta]:
    function = delta.get("function") or {}
    call_id, name = delta.get("id") or "", str(function.get("name") or "")
    key = _key(draft, delta.get("index"), call_id, name)
    arguments = function.get("arguments") or ""
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    yield from draft.call(key, arguments, id=call_id, name=name)
    if extra := delta.get("extra_content"):  # Gemini's thought signature, behind this format
        draft.piece(ToolCall, key).extra["extra_content"] = extra


def _key(draft: Draft, index: int | None, call_id: str, name: str) -> int:
    """Which call a piece belongs to. Some servers leave the index out, or give every parallel call the index 0."""
    key = draft.calls - 1 if index is None else draft.slots.get(index, -1)
    known = draft.piece(ToolCall, key) if key >= 0 else None
    begins = known is None or bool(name and call_id and known.id and call_id != known.id)
    if index is None and name and not call_id and known is not None and known.name:
        begins = True
    if begins:
        key = draft.calls
    if index is not None:
        draft.slots[index] = key
    return key
