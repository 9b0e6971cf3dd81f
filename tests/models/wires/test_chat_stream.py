"""From chunks to a message, with all that vendors do to chunks."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.core.messages import Reasoning, Text, ToolCall
from assent.core.model import CallDelta, ReasoningDelta, TextDelta, Usage
from assent.models import endpoints
from assent.models.endpoints import Endpoint
from assent.models.wires.chat_stream import absorb, read_usage
from assent.models.wires.draft import Draft, finish
from assent.models.wires.wire import Broken

OPENAI = endpoints.ENDPOINTS[0]
OPENROUTER = next(row for row in endpoints.ENDPOINTS if row.name == "openrouter")


def answer(*chunks: dict[str, Any], row: Endpoint = OPENAI) -> Any:
    draft = Draft()
    deltas = [delta for chunk in chunks for delta in absorb(draft, chunk, row)]
    return finish(draft, "call_1", row.name), deltas


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


def test_a_reason_with_more_behind_a_colon() -> None:
    assert answer(delta("content_filter: PROHIBITED_CONTENT", content="x"))[0].stop == "filter"


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


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 1}, Usage(cached=4)),
        ({"cached_tokens": 4}, Usage(cached=4)),
        ({"num_cached_tokens": 4}, Usage(cached=4)),
        ({"prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}}, Usage(cached=4, cache_write=2)),
        ({"prompt_tokens_details": None, "completion_tokens_details": None, "cost": None}, Usage()),
        (
            {"cost": 0.5, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.25}},
            Usage(cost=Decimal("0.75")),
        ),
        ({"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, Usage(cost=Decimal("0.5"))),
        ({"cost": 0}, Usage(cost=Decimal(0))),
        ({"cost": float("nan")}, Usage()),
        ({"cost": True}, Usage()),
        ({"cost": -1}, Usage()),
        ({"cost": 10**400}, Usage()),
        ({"cost": {"total_cost": 1}}, Usage()),
    ],
)
def test_what_vendors_count_besides(sent: dict[str, Any], read: Usage) -> None:
    assert read_usage(sent) == read


def test_thinking_that_is_counted_apart_is_added() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 30}}
    assert (
        read_usage(usage, apart=True) == read_usage(usage | {"total_tokens": 44}, apart=True) == Usage(9, 35, None, 30)
    )
    assert read_usage(usage | {"completion_tokens": 35, "total_tokens": 44}, apart=True) == Usage(9, 35, None, 30)
    assert read_usage(usage) == Usage(9, 5, None, 30)
    assert next(row for row in endpoints.ENDPOINTS if row.name == "xai").apart


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [], "usage": {"prompt_tokens": 3}},
        {"choices": [], "x_groq": {"id": "r", "usage": {"prompt_tokens": 3}}},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": None, "usage": {"prompt_tokens": 3}}]},
    ],
)
def test_where_vendors_say_what_was_used(chunk: dict[str, Any]) -> None:
    assert answer(delta("stop", content="x"), chunk)[0].usage == Usage(3)


@pytest.mark.parametrize("empty", [{"choices": []}, {"choices": None}, {}, delta(content=None), delta(tool_calls=None)])
def test_chunks_without_anything_are_passed_over(empty: dict[str, Any]) -> None:
    found, deltas = answer(empty, delta("stop", content="x"), empty)
    assert (found.message.text, found.stop, deltas) == ("x", "stop", [TextDelta("x")])


def test_an_answer_inside_the_name_of_who_gave_it() -> None:
    found, _ = answer({"choices": None, "provider": delta("stop", content="x")}, row=OPENROUTER)
    assert found.message.text == "x"


@pytest.mark.parametrize(
    ("chunk", "said"),
    [
        ({"error": {"code": 502, "message": "Gone."}}, "Gone."),
        ({"error": {"message": "Gone."}, "choices": None}, "Gone."),
        ({"choices": [{"error": {"code": 502, "message": "Gone."}, "finish_reason": "error"}]}, "Gone."),
        ({"choices": [{"message": {"content": ""}, "finish_reason": "error", "native_finish_reason": "OOPS"}]}, "OOPS"),
        (delta("error", content="half"), "says no more"),
        (delta("insufficient_system_resource", content="half"), "insufficient_system_resource"),
        ({"choices": [], "x_groq": {"id": "r", "error": "Stopped early."}}, "Stopped early."),
    ],
)
def test_a_failure_in_all_its_forms(chunk: dict[str, Any], said: str) -> None:
    with pytest.raises(Broken) as broken:
        answer(chunk)
    assert said in str(broken.value.error)


def test_a_refusal_is_text_that_was_filtered() -> None:
    found, deltas = answer(delta(refusal="I will"), delta(refusal=" not."), delta("stop"))
    assert (found.message.text, found.stop) == ("I will not.", "filter")
    assert deltas == [TextDelta("I will"), TextDelta(" not.")]
    assert answer(delta("stop", content="Yes.", refusal=None))[0].stop == "stop"


def details(*items: dict[str, Any]) -> dict[str, Any]:
    return delta(reasoning_details=list(items))


def kept(found: Any) -> Any:
    (thought,) = [part for part in found.message.parts if isinstance(part, Reasoning)]
    return thought.extra["openrouter"]["reasoning_details"]


def test_fragments_of_a_thought_become_one_to_go_back() -> None:
    text = {"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1"}
    found, deltas = answer(
        details(text | {"text": "Let me", "id": None}),
        details(text | {"text": " see."}),
        details(text | {"signature": "sig"}),
        details({"type": "reasoning.text", "index": 1, "text": "Yes."}),
        delta("stop", content="42"),
        row=OPENROUTER,
    )
    assert kept(found) == [
        text | {"text": "Let me see.", "id": None, "signature": "sig"},
        {"type": "reasoning.text", "index": 1, "text": "Yes."},
    ]
    assert deltas == [ReasoningDelta("Let me"), ReasoningDelta(" see."), ReasoningDelta("Yes."), TextDelta("42")]


def test_a_summary_and_what_is_secret_of_the_same_thought_stay_two() -> None:
    summary = {"type": "reasoning.summary", "index": 0, "summary": "Su"}
    secret = {"type": "reasoning.encrypted", "index": 0, "id": "rs_1", "data": "gAAA"}
    found, _ = answer(
        details(summary),
        details(summary | {"summary": "m."}),
        details(secret),
        details(secret | {"id": "rs_2", "data": "gBBB"}),
        delta("stop", content="42"),
        row=OPENROUTER,
    )
    assert kept(found) == [summary | {"summary": "Sum."}, secret, secret | {"id": "rs_2", "data": "gBBB"}]


def test_the_details_of_a_whole_answer_go_back_as_they_came() -> None:
    items = [{"type": "reasoning.text", "text": "a", "index": 0}, {"type": "reasoning.text", "text": "b", "index": 0}]
    message = {"content": "42", "reasoning": "ab", "reasoning_details": items}
    found, deltas = answer({"choices": [{"message": message, "finish_reason": "stop"}]}, row=OPENROUTER)
    assert kept(found) == items
    assert deltas == [ReasoningDelta("ab"), TextDelta("42")]


@pytest.mark.parametrize(
    ("text", "thought", "words"),
    [
        ("<think>Hm.</think>Yes.", "Hm.", "Yes."),
        ("\n<think>\nHm.\n</think>\n\nYes.", "\nHm.\n", "\n\nYes."),
        ("<think></think>Yes.", "", "Yes."),
        ("<think>Hm.", "Hm.", ""),
        ("<think>1 </ 2 </thin", "1 </ 2 </thin", ""),
        ("Yes, <think> is a tag.</think>", "", "Yes, <think> is a tag.</think>"),
        ("<thinker>", "", "<thinker>"),
        ("<thi", "", "<thi"),
        ("  ", "", "  "),
        ("<think>a</think><think>b</think>", "a", "<think>b</think>"),
    ],
)
def test_thinking_between_tags_at_the_beginning_is_no_text(text: str, thought: str, words: str) -> None:
    one, _ = answer(delta("stop", content=text))
    bits, deltas = answer(*(delta(content=letter) for letter in text), delta("stop"))
    assert (one.message.reasoning, one.message.text) == (bits.message.reasoning, bits.message.text) == (thought, words)
    assert "".join([part.text for part in deltas if isinstance(part, TextDelta)]) == words


TEXTS = st.text(max_size=8) | st.sampled_from(["<think>a</think>b", "<think>", "</think>", "<", " "])


def cut(data: st.DataObject, text: str) -> list[str]:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[start:stop] for start, stop in zip([0, *places], [*places, len(text)], strict=True)]


@settings(deadline=None)
@given(st.data(), TEXTS, TEXTS, st.lists(st.text(max_size=8), max_size=3))
def test_any_chunking_of_an_answer_gives_the_same_message(
    data: st.DataObject, thought: str, words: str, calls: list[str]
) -> None:
    made = [call(text, index=number, id=f"c{number}", name="sql") for number, text in enumerate(calls)]
    message = {"reasoning": thought, "content": words, "tool_calls": made}
    whole, _ = answer({"choices": [{"message": message, "finish_reason": "stop"}]})
    chunks = [delta(reasoning=text) for text in cut(data, thought)] + [delta(content=text) for text in cut(data, words)]
    for number, text in enumerate(calls):
        chunks.append(delta(tool_calls=[call("", index=number, id=f"c{number}", name="sql")]))
        chunks += [delta(tool_calls=[call(piece, index=number)]) for piece in cut(data, text)]
    streamed, deltas = answer(*chunks, delta("stop"))
    assert streamed == whole
    assert "".join([item.text for item in deltas if isinstance(item, TextDelta)]) == whole.message.text
