"""Server-sent events in pieces of any size."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.models import sse


def read(pieces: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    tail = sse.Tail()
    for piece in pieces:
        found += sse.split(piece, tail)
    return found + sse.rest(tail)


def chunked(data: bytes, cuts: set[int]) -> list[bytes]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


STREAM = (
    b": keep-alive\r\n\r\ndata: one\r\n\r\nevent: delta\ndata:two\nid: 7\n\n\n"
    b"data: th\xc3\xa9\n\ndata: a\ndata: b\n\ndata: [DONE]"
)
PAYLOADS = [b"one", b"two", b"th\xc3\xa9", b"a\nb", b"[DONE]"]


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_any_chunking_gives_the_same_payloads(cuts: set[int]) -> None:
    assert read(chunked(STREAM, cuts)) == PAYLOADS


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_the_last_event_needs_no_end(end: bytes) -> None:
    assert read([b"data: x" + end]) == [b"x"]


@given(st.sets(st.integers(1, 12)))
def test_a_byte_order_mark_does_not_cost_the_first_event(cuts: set[int]) -> None:
    assert read(chunked(sse.BOM + b"data: one\n\ndata: two\n\n", cuts)) == [b"one", b"two"]


def test_a_stream_of_comments_holds_nothing() -> None:
    assert read([b": ping\n\n: ping\n\n", b"   \n"]) == []


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)))
def test_every_payload_comes_back(texts: list[str]) -> None:
    payloads = [text.encode() for text in texts]
    assert read([b"data: " + payload + b"\n\n" for payload in payloads]) == payloads


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_kind_of_line_end(end: bytes) -> None:
    stream = end.join([b"data: one", b"data: more", b"", b": ping", b"", b"data: two", b"", b""])
    assert read([stream]) == [b"one\nmore", b"two"]
    assert read([stream[at : at + 1] for at in range(len(stream))]) == [b"one\nmore", b"two"]


@pytest.mark.parametrize(
    "malformed",
    [
        b"data\n\n",
        b"dato: x\n\n",
        b"data\xc3: x\n\n",
        b"\x00\xff\xfe\n\n",
        b"{}\n\n",
        b"id: 1\nretry: x\n\n",
        b": \n" * 99,
    ],
)
def test_what_is_no_data_line_is_passed_over(malformed: bytes) -> None:
    assert read([malformed, b"data: x\n\n"]) == [b"x"]


def test_ten_megabytes_in_one_event_take_no_longer_than_reading_them() -> None:
    body = b"data: " + b"x" * 10_000_000 + b"\n\n"
    began = time.process_time()
    (payload,) = read([body[at : at + 4096] for at in range(0, len(body), 4096)])
    assert len(payload) == 10_000_000
    assert time.process_time() - began < 0.5  # 12 s where each piece is joined to all before it


def test_an_event_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST", 1000)
    small = [b"data: " + b"x" * 400 + b"\n\ndata: "] * 9
    assert len(read(small)) == 9
    assert read([b": ping\n\n"] * 999) == []
    with pytest.raises(sse.TooLarge):
        read([b"data: " + b"x" * 400] * 3)
    with pytest.raises(sse.TooLarge):
        read([b"data: " + b"x" * 400 + b"\n"] * 3)
