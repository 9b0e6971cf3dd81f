"""The model's JSON, read while it is being written."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.messages import Message, Text, ToolCall, assistant
from assent.core.model import CallDelta, TextDelta
from assent.models.local.written import Written, advance, finish


def read(pieces: list[str]) -> tuple[str, Message]:
    """What the deltas add up to, and the message."""
    written, text = Written(), ""
    for piece in pieces:
        for delta in advance(written, piece):
            text += delta.text if isinstance(delta, TextDelta) else ""
            text += delta.name + delta.arguments if isinstance(delta, CallDelta) else ""
    return text, finish(written, "c1")


def pieces(text: str, cuts: set[int]) -> list[str]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


CUTS = st.sets(st.integers(1, 60))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans(), CUTS)
def test_an_answer_streams_whatever_it_holds(answer: str, ascii_only: bool, cuts: set[int]) -> None:
    text = json.dumps({"answer": answer}, ensure_ascii=ascii_only)
    assert read(pieces(text, cuts)) == (answer, assistant(Text(answer)))


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=8)), CUTS, st.sampled_from(["", " ", "\n"]))
def test_a_call_streams_and_comes_out_whole(arguments: dict[str, str], cuts: set[int], space: str) -> None:
    inner = json.dumps(arguments)
    streamed, message = read(pieces(f'{{"tool": "sql", "arguments": {inner}{space}}}', cuts))
    assert message == assistant(ToolCall("c1", "sql", inner))
    assert streamed.startswith("sql")
    assert f"sql{inner}".startswith(streamed)
    assert len(streamed) >= len(f"sql{inner}".rstrip("} \n"))


OBJECTS = st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers() | st.lists(st.booleans()))


@given(OBJECTS, CUTS, st.sampled_from(["", " ", "\n"]))
def test_a_typed_answer_streams_and_comes_out_whole(answer: dict[str, object], cuts: set[int], space: str) -> None:
    inner = json.dumps(answer)
    streamed, message = read(pieces(f'{{"answer": {inner}{space}}}', cuts))
    assert message == assistant(Text(inner))
    assert inner.startswith(streamed)
    assert len(streamed) >= len(inner.rstrip("} \n"))


def test_a_call_can_be_seen_before_it_is_whole() -> None:
    written = Written()
    assert advance(written, '{"tool": "sql", "argum') == []
    assert advance(written, 'ents": {"query": "SEL') == [CallDelta(0, "sql", '{"query": "SEL')]
    assert advance(written, 'ECT 1"}}') == [CallDelta(0, "", 'ECT 1"')]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"answer": "half an ans', assistant(Text("half an ans"))),
        ('{"answer": "an escape \\', assistant(Text("an escape "))),
        ('{"tool": "sql", "arguments": {"query": "SEL', assistant(ToolCall("c1", "sql", '{"query": "SEL'))),
        ('{"answer": {"number": 7, "to', assistant(Text('{"number": 7, "to'))),
        ("plain words", assistant(Text("plain words"))),
        ('{"tool": "sq', assistant(Text('{"tool": "sq'))),
        ("", assistant(Text(""))),
    ],
)
def test_what_is_cut_off_is_kept(text: str, message: Message) -> None:
    assert read([text])[1] == message


def test_half_a_surrogate_pair_becomes_a_mark() -> None:
    assert read(['{"answer": "a\\ud83dz"}'])[1] == assistant(Text("a\ufffdz"))
