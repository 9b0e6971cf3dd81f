"""From chunks to a message, with all that vendors do to chunks."""

from decimal import Decimal
from typing import Any

import pytest

from assent.core.messages import Reasoning, Text, ToolCall
from assent.core.model import CallDelta, ReasoningDelta, TextDelta, Usage
from assent.models import endpoints
from assent.models.wires.chat_stream import absorb, read_usage
from assent.models.wires.draft import Draft, finish

OPENAI = endpoints.ENDPOINTS[0]


def answer(*chunks: dict[str, Any]) -> Any:
    draft = Draft()
    deltas = [delta for chunk in chunks for delta in absorb(draft, chunk, OPENAI)]
    return finish(draft, "call_1", "openai"), deltas


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def call(arguments: Any = "", **fields: Any) -> dict[str, Any]:
    function = {"name": fields.pop("name", None), "arguments": arguments}
    return fields | {"function": {key: value for key, value in function.items() if value is not None}}


def test_text_and_reasoning_come_as_they_are_written() -> None:
    found, deltas = answer(
        delta(role="assistant", content=""),
        delta(reasoning_content="Let me "),
        delta(reasoning="see."),
        delta(content="Forty"),
        delta("stop", content="-two"),
    )
    assert found.message.parts == (Reasoning("Let me see."), Text("Forty-two"))
    assert deltas == [ReasoningDelta("Let me "), ReasoningDelta("see."), TextDelta("Forty"), TextDelta("-two")]
    assert found.stop == "stop"


def test_parallel_calls_are_told_apart_by_index() -> None:
    found, deltas = answer(
        delta(tool_calls=[call(index=0, id="a", name="sql")]),
        delta(tool_calls=[call('{"q', index=0), call("{}", index=1, id="b", name="now")]),
        delta("tool_calls", tool_calls=[call('":1}', index=0)]),
    )
    assert found.message.calls == [ToolCall("a", "sql", '{"q":1}'), ToolCall("b", "now", "{}")]
    assert deltas[1] == CallDelta(0, "", '{"q')
    assert found.stop == "calls"


def test_parallel_calls_that_share_one_index_are_told_apart_by_id() -> None:
    found, _ = answer(
        delta(tool_calls=[call("{}", index=0, id="a", name="sql")]),
        delta("stop", tool_calls=[call('{"x":', index=0, id="b", name="sql")]),
        delta("stop", tool_calls=[call("2}", index=0)]),
    )
    assert [(one.id, one.arguments) for one in found.message.calls] == [("a", "{}"), ("b", '{"x":2}')]
    assert found.stop == "calls"


def test_calls_without_index_or_id() -> None:
    found, _ = answer(
        delta(tool_calls=[call("{}", name="sql")]),
        delta(tool_calls=[call('{"x":', name="now"), call("1}")]),
    )
    assert found.message.calls == [ToolCall("call_1_0", "sql", "{}"), ToolCall("call_1_1", "now", '{"x":1}')]


def test_a_doubled_id_is_mended() -> None:
    found, _ = answer(
        delta(tool_calls=[call("{}", index=0, id="a", name="sql"), call("{}", index=1, id="a", name="sql")])
    )
    assert [one.id for one in found.message.calls] == ["a", "call_1_1"]


def test_a_name_that_comes_with_every_piece_counts_once() -> None:
    found, _ = answer(
        delta(tool_calls=[call("{", index=0, id="a", name="sql")]),
        delta(tool_calls=[call("}", index=0, id="a", name="sql")]),
    )
    assert found.message.calls == [ToolCall("a", "sql", "{}")]


def test_arguments_as_an_object_or_none_at_all() -> None:
    found, _ = answer(
        delta(tool_calls=[call({"q": "é"}, index=0, id="a", name="sql"), call(None, index=1, name="now")])
    )
    assert [one.arguments for one in found.message.calls] == ['{"q": "é"}', "{}"]


def test_what_the_vendor_wants_back_with_a_call_is_kept() -> None:
    extra = {"google": {"thought_signature": "abc"}}
    found, _ = answer(delta(tool_calls=[call("{}", index=0, id="a", name="sql", extra_content=extra)]))
    assert found.message.calls[0].extra == {"openai": {"extra_content": extra}}


def test_an_answer_that_was_not_streamed() -> None:
    found, deltas = answer(
        {
            "model": "m-1",
            "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1},
        }
    )
    assert (found.message.text, found.model, found.usage.input) == ("Hi", "m-1", 3)
    assert deltas == [TextDelta("Hi")]


def test_content_in_typed_pieces() -> None:
    pieces = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "Yes"}]
    found, _ = answer(delta("stop", content=pieces))
    assert found.message.parts == (Reasoning("Hm"), Text("Yes"))


def test_the_reasons_to_stop() -> None:
    assert [answer(delta(reason, content="x"))[0].stop for reason in ("length", "content_filter", "eos")] == [
        "length",
        "filter",
        "stop",
    ]


def test_usage_of_several_vendors() -> None:
    full = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 8},
        "cost": 0.0012,
    }
    assert read_usage(full) == Usage(100, 20, 0, 8, Decimal("0.0012"))
    assert read_usage({"prompt_tokens": 5, "prompt_cache_hit_tokens": 4}) == Usage(5, None, 4, None)


@pytest.mark.parametrize(
    ("sent", "read"), [(12, 12), (12.0, 12), (1.5, None), ("12", None), (True, None), ([1], None), (None, None)]
)
def test_what_is_no_number_of_tokens_is_unknown(sent: object, read: int | None) -> None:
    assert read_usage({"prompt_tokens": sent, "completion_tokens": sent}) == Usage(read, read)


def test_a_name_that_is_no_text_becomes_one() -> None:
    draft = Draft()
    list(absorb(draft, {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": 5}}]}}]}, OPENAI))
    assert [part.name for part in finish(draft, "c", "openai").message.calls] == ["5"]
