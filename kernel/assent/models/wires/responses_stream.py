"""The OpenAI Responses format: answers, streamed or whole.

An answer is a list of items (thoughts, messages, calls). Events bring them bit by bit, each item again whole at its
end, and at the very end all of them; whatever is missing on the way is made up for by what comes whole.
Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from assent.core.messages import Reasoning, Text, ToolCall
from assent.core.model import Delta, Usage
from assent.models.endpoints import Endpoint
from assent.models.wires.draft import Draft
from assent.models.wires.wire import Broken, tokens

ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
STOPS = {"content_filter": "filter"}  # why an answer is incomplete; any other reason is a limit
KEPT = ("id", "content", "encrypted_content")  # what a thought must go back with, beside its summary
GAP = "\n\n"  # between the parts of a thought


def absorb(draft: Draft, value: Mapping[str, Any], endpoint: Endpoint) -> Iterator[Delta]:
    """Add one event (or a whole unstreamed response) to the draft; what is new."""
    kind = value.get("type")
    if kind == "error" or (kind is None and value.get("error")):
        raise Broken(value.get("error") or {key: value[key] for key in ("code", "message") if value.get(key)})
    if kind is None:
        yield from _end(draft, value, value["status"])
    elif kind in ENDS:
        yield from _end(draft, value["response"], kind.rpartition(".")[2])
    elif kind in ("response.output_item.added", "response.output_item.done"):
        yield from _item(draft, _key(value), value["item"], done=kind.endswith("done"))
    elif add := _DELTAS.get(kind):
        yield from add(draft, _key(value), value)


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Tokens as this format reports them; what is left out is None."""
    given, made = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    return Usage(
        input=tokens(usage.get("input_tokens")),
        output=tokens(usage.get("output_tokens")),
        cached=tokens(given.get("cached_tokens")),
        reasoning=tokens(made.get("reasoning_tokens")),
        cache_write=tokens(given.get("cache_write_tokens")),
    )


def _key(event: Mapping[str, Any]) -> Hashable:
    """Which item an event is about: its place, for some servers give an item another id in each event."""
    place: Hashable = event.get("output_index")
    return event.get("item_id") if place is None else place


def _text(draft: Draft, key: Hashable, event: Mapping[str, Any]) -> Iterator[Delta]:
    return draft.text(event["delta"], key)


def _refusal(draft: Draft, key: Hashable, event: Mapping[str, Any]) -> Iterator[Delta]:
    draft.piece(Text, key).extra["refusal"] = True
    return draft.text(event["delta"], key)


def _arguments(draft: Draft, key: Hashable, event: Mapping[str, Any]) -> Iterator[Delta]:
    return draft.call(key, event["delta"])


def _thought(draft: Draft, key: Hashable, event: Mapping[str, Any]) -> Iterator[Delta]:
    """More of a thought, whose parts are told apart by an empty line."""
    part = (event["type"], event.get("summary_index"), event.get("content_index"))
    last = draft.slots.get(("part", key), part)
    draft.slots["part", key] = part
    return draft.reasoning((GAP if part != last else "") + event["delta"], key)


_DELTAS: Mapping[str, Callable[[Draft, Hashable, Mapping[str, Any]], Iterator[Delta]]] = {
    "response.output_text.delta": _text,
    "response.refusal.delta": _refusal,
    "response.function_call_arguments.delta": _arguments,
    "response.reasoning_summary_text.delta": _thought,
    "response.reasoning_text.delta": _thought,
}


def _item(draft: Draft, key: Hashable, item: Mapping[str, Any], done: bool) -> Iterator[Delta]:
    """An item as it begins or, if `done`, whole: what is new of it."""
    kind = item.get("type")
    if done:
        draft.slots["done", key] = True
    if kind == "function_call":
        yield from _call(draft, key, item, done)
    elif kind == "reasoning":
        thought = draft.piece(Reasoning, key)
        if done:
            parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
            yield from draft.reasoning(_rest(thought.text, GAP.join([part.get("text") or "" for part in parts])), key)
            kept = {name: item[name] for name in KEPT if item.get(name)}
            thought.extra.update({"type": kind, "summary": item.get("summary") or [], **kept})
    elif kind == "message":
        yield from _message(draft, key, item if done else {})


def _call(draft: Draft, key: Hashable, item: Mapping[str, Any], done: bool) -> Iterator[Delta]:
    name, call = str(item.get("name") or ""), str(item.get("call_id") or item.get("id") or "")
    arguments = item.get("arguments") or ""
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    piece = draft.piece(ToolCall, key)
    rest = _rest(piece.text, arguments) if done else ""
    if rest or not done or not piece.name:
        yield from draft.call(key, rest, id=call, name=name)
    if done and item.get("id"):
        piece.extra["id"] = item["id"]


def _message(draft: Draft, key: Hashable, item: Mapping[str, Any]) -> Iterator[Delta]:
    piece = draft.piece(Text, key)
    content = item.get("content") or ()
    whole = "".join([part.get("text") or part.get("refusal") or "" for part in content])
    yield from draft.text(_rest(piece.text, whole), key)
    if any(part.get("type") == "refusal" for part in content):
        piece.extra["refusal"] = True
    if "".join(piece.text):
        piece.extra.update({name: item[name] for name in ("id", "phase") if item.get(name)})


def _rest(pieces: list[str], whole: str) -> str:
    """What of `whole` has not come in pieces yet; nothing where the pieces say something else."""
    had = "".join(pieces)
    return whole[len(had) :] if whole.startswith(had) else ""


def _end(draft: Draft, response: Mapping[str, Any], status: str) -> Iterator[Delta]:
    if error := response.get("error"):
        raise Broken(error)
    if status not in ("completed", "incomplete"):
        raise Broken({"message": f"the response is {str(status).replace('_', ' ')}"})
    for place, item in enumerate(response.get("output") or ()):
        if ("done", place) not in draft.slots and not _elsewhere(draft):
            yield from _item(draft, place, item, done=True)
    draft.model = str(response.get("model") or draft.model)
    draft.usage = read_usage(response.get("usage") or {})
    refused = any("refusal" in piece.extra for piece in draft.pieces)
    why = (response.get("incomplete_details") or {}).get("reason", "")
    stop = "stop" if status == "completed" else STOPS.get(why, "length")
    draft.stop = "filter" if refused else stop
    draft.done = True


def _elsewhere(draft: Draft) -> bool:
    """Whether items came by another key than their place, so that they cannot be told from those at the end."""
    return any(isinstance(slot, tuple) and slot[0] == "done" and not isinstance(slot[1], int) for slot in draft.slots)
