"""The Anthropic Messages format: answers, streamed or whole.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assent.core.messages import Reasoning
from assent.core.model import Delta, Usage
from assent.models.endpoints import Endpoint
from assent.models.wires.draft import Draft
from assent.models.wires.wire import Broken, tokens

# What Anthropic wants back of an answer, in a part's `extra`.
SIGNATURE = "signature"  # of a thought
REDACTED = "redacted"  # a thought that may not be read
BLOCK = "block"  # a whole block that means nothing to us: a search of the vendor's own, say
_WRITTEN = "written"  # of such a block, the input as far as it has come
_CALL, _FOREIGN = 0, 1  # what the block of an index is, in a draft's slots

STOPS = {
    "tool_use": "calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "filter",
}
# Source: https://platform.claude.com/docs/en/api/errors
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def absorb(draft: Draft, event: Mapping[str, Any], endpoint: Endpoint) -> Iterator[Delta]:
    """Add one event (or a whole unstreamed message) to the draft; what is new. Unknown events add nothing."""
    match event.get("type"):
        case "content_block_delta":
            yield from _more(draft, event["index"], event["delta"])
        case "content_block_start":
            yield from _begin(draft, event["index"], event["content_block"])
        case "content_block_stop":
            _end(draft, event["index"])
        case "message_start":
            yield from _message(draft, event["message"])
        case "message_delta":
            _finished(draft, event.get("delta") or {})
            draft.usage = read_usage(event.get("usage") or {}, draft.usage)
        case "message_stop":
            draft.stop = draft.stop or "stop"
            draft.done = True
        case "message":
            yield from _message(draft, event)
            draft.stop = draft.stop or "stop"
            draft.done = True
        case "error":
            raise Broken(_coded(event.get("error")))
        case _:
            if error := event.get("error"):
                raise Broken(_coded(error))


def read_usage(usage: Mapping[str, Any], before: Usage) -> Usage:
    """Tokens so far. Anthropic counts what it read from its cache or wrote to it apart from the other input."""
    cached = _first(tokens(usage.get("cache_read_input_tokens")), before.cached)
    written = _first(tokens(usage.get("cache_creation_input_tokens")), before.cache_write)
    fresh = tokens(usage.get("input_tokens"))
    if fresh is None and before.input is not None:
        fresh = before.input - (before.cached or 0) - (before.cache_write or 0)
    thought = tokens((usage.get("output_tokens_details") or {}).get("thinking_tokens"))
    return Usage(
        input=None if fresh is None else fresh + (cached or 0) + (written or 0),
        output=_first(tokens(usage.get("output_tokens")), before.output),
        cached=cached,
        reasoning=_first(thought, before.reasoning),
        cache_write=written,
    )


def _message(draft: Draft, message: Mapping[str, Any]) -> Iterator[Delta]:
    draft.model = str(message.get("model") or draft.model)
    for index, block in enumerate(message.get("content") or ()):
        yield from _begin(draft, index, block)
    _finished(draft, message)
    draft.usage = read_usage(message.get("usage") or {}, draft.usage)


def _finished(draft: Draft, message: Mapping[str, Any]) -> None:
    if reason := message.get("stop_reason"):
        draft.stop = STOPS.get(reason, "stop")


def _begin(draft: Draft, index: int, block: Mapping[str, Any]) -> Iterator[Delta]:
    match block.get("type"):
        case "text":
            yield from draft.text(_words(block.get("text")), index)
        case "tool_use":
            draft.slots[index] = _CALL
            name, call = str(block.get("name") or ""), str(block.get("id") or "")
            yield from draft.call(index, _input(block.get("input")), id=call, name=name)
        case "thinking":
            yield from draft.reasoning(_words(block.get("thinking")), index)
            _sign(draft, index, block.get("signature"))
        case "redacted_thinking":
            draft.piece(Reasoning, index).extra[REDACTED] = block["data"]
        case _:
            draft.slots[index] = _FOREIGN
            draft.piece(Reasoning, index).extra[BLOCK] = dict(block)


def _more(draft: Draft, index: int, delta: Mapping[str, Any]) -> Iterator[Delta]:
    match delta.get("type"):
        case "text_delta":
            yield from draft.text(_words(delta.get("text")), index)
        case "thinking_delta":
            yield from draft.reasoning(_words(delta.get("thinking")), index)
        case "signature_delta":
            _sign(draft, index, delta["signature"])
        case "input_json_delta":
            written = _words(delta.get("partial_json"))
            if draft.slots.get(index) == _CALL:
                yield from draft.call(index, written)
            elif draft.slots.get(index) == _FOREIGN:
                draft.piece(Reasoning, index).extra.setdefault(_WRITTEN, []).append(written)


def _end(draft: Draft, index: int) -> None:
    """The input of a block that is not for us is whole only now."""
    if draft.slots.get(index) != _FOREIGN:
        return
    extra = draft.piece(Reasoning, index).extra
    if written := "".join(extra.pop(_WRITTEN, ())):
        try:
            extra[BLOCK]["input"] = json.loads(written)
        except (ValueError, RecursionError):
            del extra[BLOCK]  # nobody could take it back


def _sign(draft: Draft, index: int, signature: Any) -> None:
    if signature:
        draft.piece(Reasoning, index).extra[SIGNATURE] = signature


def _words(value: Any) -> str:
    if not isinstance(value, str | None):
        raise TypeError
    return value or ""


def _input(value: Any) -> str:
    """A call's input as JSON text; while it is streamed, it begins as an empty object."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if value else ""


def _coded(error: Any) -> Any:
    """What the vendor says of a failure, with the HTTP status that it would have had."""
    kind = error.get("type") if isinstance(error, Mapping) else None
    return {**error, "code": STATUSES[kind]} if kind in STATUSES else error


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
