"""Server-sent events in pieces of any size."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.models import sse


def read(pieces: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    buffer = b""
    for piece in pieces:
        payloads, buffer = sse.split(buffer + piece)
        found += payloads
    return found + sse.rest(buffer)


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


def test_a_stream_of_comments_holds_nothing() -> None:
    assert read([b": ping\n\n: ping\n\n", b"   \n"]) == []


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)))
def test_every_payload_comes_back(texts: list[str]) -> None:
    payloads = [text.encode() for text in texts]
    assert read([b"data: " + payload + b"\n\n" for payload in payloads]) == payloads
