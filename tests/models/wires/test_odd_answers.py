"""Whatever JSON a server sends, a wire format reads it or says that it is of another shape."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.vendors import vendor

from assent.models.endpoints import Endpoint
from assent.models.wires import chat_stream, responses_stream
from assent.models.wires.draft import Draft, finish
from assent.models.wires.wire import Broken

pytestmark = pytest.mark.slow

SHAPE = (AttributeError, TypeError, LookupError, ValueError)

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("stop")
CHAT = (
    "choices", "delta", "message", "content", "tool_calls", "function", "arguments", "name", "id", "index", "usage",
    "prompt_tokens", "cost", "prompt_tokens_details", "finish_reason", "refusal", "reasoning", "reasoning_details",
    "type", "text", "x_groq", "provider", "extra_content", "model", "thinking",
)  # fmt: skip
RESPONSES = (
    "response", "status", "output", "item", "type", "content", "summary", "text", "arguments", "call_id", "id", "name",
    "delta", "usage", "input_tokens_details", "incomplete_details", "model", "output_index", "encrypted_content",
)  # fmt: skip
KINDS = st.sampled_from(
    ["response.completed", "response.output_item.added", "response.output_item.done", "response.output_text.delta",
     "response.reasoning_summary_text.delta", "response.function_call_arguments.delta", "message", "reasoning",
     "function_call", "completed"]
)  # fmt: skip


def values(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(names)
    return st.recursive(
        PLAIN | KINDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
        max_leaves=25,
    )


def read(wire: Any, row: Endpoint, chunks: list[Any]) -> None:
    draft = Draft()
    try:
        for chunk in chunks:
            list(wire.absorb(draft, chunk, row))
    except (Broken, *SHAPE):
        return
    finish(draft, "call_1", row.name)


@pytest.mark.parametrize("name", ["openai", "openrouter", "xai"])
@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(CHAT), values(CHAT), max_size=6) | values(CHAT), max_size=4))
def test_any_chat_chunks(name: str, chunks: list[Any]) -> None:
    read(chat_stream, vendor(name), chunks)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.dictionaries(st.sampled_from(RESPONSES), values(RESPONSES), max_size=6), max_size=4))
def test_any_responses_events(events: list[Any]) -> None:
    read(responses_stream, vendor("openai-responses"), events)


def delta(**fields: Any) -> Any:
    return {"choices": [{"delta": fields, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("name", "wire", "value"),
    [
        ("openai", chat_stream, delta(content=5)),
        ("openai", chat_stream, delta(content=[{"text": 5}])),
        ("openai", chat_stream, delta(refusal=5)),
        ("openrouter", chat_stream, delta(reasoning_details=[{"type": "reasoning.text", "text": 5}])),
        ("openai-responses", responses_stream, {"type": "response.output_text.delta", "output_index": 0, "delta": 5}),
        ("openai-responses", responses_stream, {"status": "completed", "output": [{"type": "message", "content": 5}]}),
    ],
)
def test_text_that_is_no_text_is_another_shape(name: str, wire: Any, value: Any) -> None:
    with pytest.raises(SHAPE):
        list(wire.absorb(Draft(), value, vendor(name)))
