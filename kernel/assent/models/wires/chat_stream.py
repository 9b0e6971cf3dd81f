"""The OpenAI chat-completions format: answers, streamed or whole."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from assent.core.messages import Reasoning, Text, ToolCall
from assent.core.model import Delta, Usage
from assent.models.endpoints import Endpoint
from assent.models.wires import tags
from assent.models.wires.draft import Draft
from assent.models.wires.wire import Broken, tokens

STOPS = {
    "tool_calls": "calls",
    "function_call": "calls",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "content_filter": "filter",
    "function_call_filter": "filter",
}
# The answer is not whole, and not for want of tokens: OpenRouter and Mistral, DeepSeek, vLLM.
FAULTS = frozenset({"error", "insufficient_system_resource", "abort"})
MOST = 1e6  # dollars; what is dearer is no price of one answer
_NONE: Mapping[str, Any] = {}
WORDS = {"reasoning.text": "text", "reasoning.summary": "summary", "reasoning.encrypted": "data"}


def absorb(draft: Draft, chunk: Mapping[str, Any], endpoint: Endpoint) -> Iterator[Delta]:
    """Add one chunk (or a whole unstreamed completion) to the draft; what is new."""
    if error := chunk.get("error"):
        raise Broken(error)
    if not chunk.get("choices") and isinstance(inner := chunk.get("provider"), Mapping):  # OpenRouter, now and then
        chunk = inner
        if error := inner.get("error"):
            raise Broken(error)
    draft.model = str(chunk.get("model") or draft.model)
    groq = chunk.get("x_groq") or _NONE
    if error := groq.get("error"):
        raise Broken({"message": error})
    usage = chunk.get("usage") or groq.get("usage")
    for choice in (chunk.get("choices") or ())[:1]:
        if error := choice.get("error"):
            raise Broken(error)
        usage = usage or choice.get("usage")  # Moonshot's place for it
        yield from _absorb_choice(draft, choice, endpoint)
    if usage:
        draft.usage = read_usage(usage, endpoint.apart)


def read_usage(usage: Mapping[str, Any], apart: bool = False) -> Usage:
    """Tokens as vendors report them; what they leave out is None. `apart` adds those of thinking to the answer's."""
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    output, reasoning = tokens(usage.get("completion_tokens")), tokens(completion.get("reasoning_tokens"))
    given = tokens(usage.get("prompt_tokens"))
    if apart and output is not None and reasoning and usage.get("total_tokens") != (given or 0) + output:
        output += reasoning
    named = (usage.get(name) for name in ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"))
    return Usage(
        input=given,
        output=output,
        cached=next(
            (count for value in (prompt.get("cached_tokens"), *named) if (count := tokens(value)) is not None), None
        ),
        reasoning=reasoning,
        cost=_cost(usage),
        cache_write=tokens(prompt.get("cache_write_tokens")),
    )


def _cost(usage: Mapping[str, Any]) -> Decimal | None:
    """What OpenRouter charges, and what the vendor behind it charges where that has the user's own key."""
    behind = usage.get("cost_details") or {}
    own = behind.get("upstream_inference_cost") if usage.get("is_byok") else None
    charged = [Decimal(str(value)) for value in (usage.get("cost"), own) if _is_amount(value)]
    return sum(charged, Decimal(0)) if charged else None


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST


def _absorb_choice(draft: Draft, choice: Mapping[str, Any], endpoint: Endpoint) -> Iterator[Delta]:
    delta, streamed = choice.get("delta") or choice.get("message") or {}, not choice.get("message")
    if thought := delta.get("reasoning_content") or delta.get("reasoning"):
        yield from _absorb_thought(draft, thought)
    if endpoint.details and (details := delta.get(endpoint.details)):
        yield from _absorb_details(draft, details, endpoint, streamed, silent=bool(thought))
    if content := delta.get("content"):
        yield from _absorb_content(draft, content)
    if refusal := delta.get("refusal"):
        yield from draft.text(refusal, "refusal")
        draft.piece(Text, "refusal").extra["refusal"] = True
    for call in delta.get("tool_calls") or ():
        yield from _absorb_call(draft, call, streamed)
    if reason := choice.get("finish_reason"):
        if reason in FAULTS:
            said = choice.get("native_finish_reason") or reason
            raise Broken({"message": f"it reports {said!r} and says no more"})
        yield from tags.rest(draft)
        refused = any("refusal" in piece.extra for piece in draft.pieces)
        # Gemini says more behind a colon.
        draft.stop = "filter" if refused else STOPS.get(str(reason).partition(":")[0], "stop")


def _absorb_thought(draft: Draft, thought: Any) -> Iterator[Delta]:
    if isinstance(thought, str):
        yield from draft.reasoning(thought)


def _absorb_details(
    draft: Draft, details: list[Any], endpoint: Endpoint, streamed: bool, silent: bool
) -> Iterator[Delta]:
    """What must go back of the thinking; `silent` where its words came otherwise."""
    if not silent:
        yield from draft.reasoning("".join([item.get("text") or item.get("summary") or "" for item in details]))
    known = draft.piece(Reasoning, "reasoning").extra.setdefault(endpoint.details, [])
    for item in details:
        _add_detail(known, item, streamed)


def _add_detail(known: list[dict[str, Any]], item: Mapping[str, Any], streamed: bool) -> None:
    """Add a detail, or the next fragment of one: those of the same index and type are one.

    Source: https://openrouter.ai/docs/use-cases/reasoning-tokens
    """
    for other in reversed(known) if streamed else ():
        if _same(other, item):
            words = WORDS.get(item["type"], "")
            text = (other.get(words) or "") + (item.get(words) or "")
            other.update({name: value for name, value in item.items() if value is not None})
            if words in other:
                other[words] = text
            return
    known.append(dict(item))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    ids = {one.get("id"), other.get("id")} - {None}
    return one["type"] == other["type"] and one.get("index") == other.get("index") and len(ids) < 2


def _absorb_content(draft: Draft, content: Any) -> Iterator[Delta]:
    """Text, or Mistral's list of typed pieces, where thinking is a list of its own."""
    if isinstance(content, str):
        yield from draft.text(content) if draft.slots.get("tag") == "" else tags.split(draft, content)
        return
    for piece in content:
        if piece.get("type") == "thinking":
            yield from draft.reasoning("".join([part.get("text", "") for part in piece.get("thinking", ())]))
        elif text := piece.get("text"):
            yield from draft.text(text)


def _absorb_call(draft: Draft, delta: Mapping[str, Any], streamed: bool) -> Iterator[Delta]:
    function = delta.get("function") or {}
    call_id, name = str(delta.get("id") or ""), str(function.get("name") or "")
    key = _key(draft, delta.get("index"), call_id, name) if streamed else draft.calls
    arguments = function.get("arguments") or ""
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    yield from draft.call(key, arguments, id=call_id, name=name)
    if extra := delta.get("extra_content"):  # Gemini's thought signature, behind this format
        draft.piece(ToolCall, key).extra["extra_content"] = extra


def _key(draft: Draft, index: int | None, call_id: str, name: str) -> int:
    """Which call a piece belongs to. Some servers leave the index out, or give every parallel call the index 0."""
    key: int = draft.calls - 1 if index is None else draft.slots.get(index, -1)
    known = draft.piece(ToolCall, key) if key >= 0 else None
    begins = known is None or bool(name and call_id and known.id and call_id != known.id)
    if index is None and name and not call_id and known is not None and known.name:
        begins = True
    if begins:
        key = draft.calls
    if index is not None:
        draft.slots[index] = key
    return key
