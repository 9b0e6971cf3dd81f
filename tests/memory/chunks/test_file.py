"""Any file becomes chunks that lose nothing of it, whatever stands in it; what is no text is refused by name."""

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.errors import Unreadable
from assent.memory.chunks.chunk import LONGEST, Chunk
from assent.memory.chunks.file import chunks

_LINES = st.sampled_from(
    [
        *(
            "",
            "",
            "  ",
            "\t",
            "# One",
            "## Two ##",
            "Under",
            "===",
            "---",
            "```",
            "~~~~",
            "    ```py",
            "> ```",
            "- item",
        ),
        *("def f(a):", "    return a", "class C:", "    def m(self):", "        pass", "@d", "# remark", "x = (", ")"),
        *("function f(a) {", "}", "  if (a) {", "  }", "/**", " * Said.", " */", "int main(", "{", "[a.b]", "key: 1"),
        *(
            "  - a",
            '"k": {',
            "東京都に住む。" * 40,
            "word " * 150,
            "sign" * 900,
            "One. Two! Three? " * 200,
            "e\u0301" * 2000,
        ),
        *("\x0c", "a\x0bb", "\x85", "a\u2028b", "nul\x00", "'''", '"""', "\\", "\ufeff"),
    ]
)
_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=30)
_TEXTS = st.lists(_LINES | _WORDS, max_size=60).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines))
)
_WHOLE = ["a.txt", "a.md", "a.py", "a.js", "a.json", "a.toml", "a.yaml", "a"]  # kinds of which all is kept


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@pytest.mark.parametrize("name", _WHOLE)
@given(text=_TEXTS)
def test_every_line_stands_in_the_chunks_once_and_in_order(name: str, text: str) -> None:
    lines = _lines(text.encode("utf-8", "replace").decode().removeprefix("\ufeff"))
    found = chunks(name, "\n".join(lines).encode())
    assert "".join("".join(one.text for one in found).split()) == "".join("".join(lines).split())
    for one in found:
        told = one.text.split("\n")
        assert one.last - one.first + 1 == len(told)
        assert told[0].strip()
        assert told[-1].strip()
        if not one.part:
            assert [line.strip() for line in told] == [line.strip() for line in lines[one.first - 1 : one.last]]
            assert all(
                line == kept or len(kept) > 200 for line, kept in zip(told[:-1], lines[one.first - 1 :], strict=False)
            )
    for one, following in pairwise(found):
        assert one.last < following.first or (one.last == following.first and following.part > 1)


@given(text=_TEXTS, name=st.sampled_from([*_WHOLE, "a.html", "a.csv", "a.ipynb", "a.xml"]))
def test_no_chunk_is_long_or_empty(text: str, name: str) -> None:
    for one in chunks(name, text.encode("utf-8", "replace")):
        assert 0 < len(one.text) <= LONGEST + 200
        assert 1 <= one.first <= one.last


@given(data=st.binary(max_size=300), name=st.sampled_from([*_WHOLE, "a.html", "a.csv", "a.ipynb", "a.xml"]))
def test_any_bytes_are_chunks_or_are_refused_by_the_files_name(data: bytes, name: str) -> None:
    try:
        found = chunks(name, data)
    except Unreadable as error:
        assert str(error).startswith(f"{name} ")  # noqa: PT017 - most data is not refused
    else:
        assert all(isinstance(one, Chunk) for one in found)


@pytest.mark.parametrize("name", [*_WHOLE, "a.html", "a.csv", "a.ipynb"])
@pytest.mark.parametrize("data", [b"", b"\n \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_has_no_chunks(name: str, data: bytes) -> None:
    assert chunks(name, data) == []


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("guide.MD", b"# Guide", ("Guide", "line")),
        ("README", b"# Guide\n\nText", ("Guide", "line")),
        ("README", b"Text\n\n# is no remark\n", ("", "line")),
        ("notes.unknown", b"# Perhaps a remark\n", ("", "line")),
        ("Makefile", b"# No heading\n\nall:\n\tmake", ("", "line")),
        ("a/b.c/run", b"#!/usr/bin/env python\ndef f(): pass", ("f", "line")),
        ("page", b"<!DOCTYPE html><h1>Page</h1>", ("Page", "line")),
        ("n.ipynb", b'{"cells": [{"cell_type": "markdown", "source": "# Book"}]}', ("Book", "cell")),
        ("notes.unknown", b"def f(): pass", ("", "line")),
        ("t.csv", b"a,b\n1,2", ("a, b", "line")),
    ],
)
def test_a_file_is_read_as_its_name_says_or_else_as_it_begins(name: str, data: bytes, told: tuple[str, str]) -> None:
    one = chunks(name, data)[0]
    assert (one.title, one.unit) == told


def test_of_a_name_only_the_suffix_counts() -> None:
    assert chunks("one/a.md", b"# Same") == chunks("other/b.md", b"# Same")


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2, bytes(1000), "Привет".encode("cp1251") * 99]
)
def test_what_is_no_text_is_refused_with_its_name_whatever_its_suffix(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^notes/plan\.txt is not text .*: leave it out, or save it as UTF-8"):
        chunks("notes/plan.txt", data)


def test_a_document_of_100_000_words_is_chunks_of_about_1500_signs() -> None:
    rng = random.Random(6)
    words = ["".join(rng.choices("abcdefgh", k=rng.randint(2, 9))) for _ in range(500)]
    text = "\n\n".join(" ".join(rng.choices(words, k=rng.randint(5, 90))) + "." for _ in range(2_200))
    sizes = [len(one.text) for one in chunks("long.txt", text.encode())]
    assert len(text.split()) > 100_000
    assert 1_100 < sum(sizes) / len(sizes) < 1_500
    assert min(sizes[:-1]) > 700


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.js", "a.json", "a.toml", "a.html", "a.csv", "a.ipynb"])
@pytest.mark.parametrize(
    "sign", ["x", " ", "\u6771", "[", "{", "(", "<", "<a ", "<!--", "&", "\u0301", "# ", "a, ", "```\n"]
)
def test_many_signs_of_any_kind_take_a_moment(name: str, sign: str) -> None:
    data = (sign * (200_000 // len(sign)) + "end").encode()
    began = time.process_time()
    found = chunks(name, data)
    assert time.process_time() - began < 2  # a twentieth of that on an idle machine
    assert all(len(one.text) <= LONGEST + 200 and len(one.title) <= 200 for one in found)


@pytest.mark.parametrize("name", [*_WHOLE, "a.html"])
def test_a_line_of_a_million_signs_is_cut_and_nothing_of_it_is_lost(name: str) -> None:
    found = chunks(name, b"x" * 1_000_000)
    assert "".join(one.text for one in found) == "x" * 1_000_000
    assert [(one.first, one.last, one.part) for one in found] == [(1, 1, part) for part in range(1, len(found) + 1)]
