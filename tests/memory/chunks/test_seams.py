"""A text that is too long is cut where it hurts least."""

import unicodedata

import pytest

from assent.memory.chunks import seams
from assent.memory.chunks.chunk import SIZE


def _pieces(text: str, seam: seams.Seam = seams.prose) -> list[str]:
    return [text[begin:end] for begin, end in seams.pieces(text, seam)]


@pytest.mark.parametrize(
    ("unit", "ends"),
    [
        ("One sentence of several words, as they come.\n", "come.\n"),
        ('He said: "So it is." Then he, who knew, went\n', '." '),
        ("no sentence but lines of some words\n", "words\n"),
        ("words without an end ", " "),
        ("東京都に住む人は多い。", "。"),
        ("「東京都に住む人は多い。」", "。」"),
        ("東京都に住む人は、", "、"),
    ],
)
def test_prose_is_cut_after_a_sentence_or_else_a_line_or_else_a_word(unit: str, ends: str) -> None:
    found = _pieces(unit * 300)
    assert "".join(found) == unit * 300
    assert all(piece.endswith(ends) for piece in found[:-1])
    assert all(SIZE // 2 <= len(piece) <= SIZE for piece in found[:-1])
    assert len(found[-1]) <= SIZE * 1.5


@pytest.mark.parametrize("written", ["e\u0301", "ที่", "👩\u200d🔬", "👍\U0001f3fd"])
def test_what_is_one_sign_to_a_reader_is_not_cut(written: str) -> None:
    for before in range(len(written)):
        found = _pieces("x" * before + written * 2_000)
        assert len(found) > 1
        assert all(piece.startswith(written) and piece.endswith(written) for piece in found[1:])


def test_signs_that_all_belong_to_the_one_before_are_cut_nevertheless() -> None:
    found = _pieces("a" + "\u0301" * 5_000)
    assert all(unicodedata.combining(piece[-1]) for piece in found)
    assert max(map(len, found)) <= SIZE * 1.5


def test_code_is_cut_before_the_line_that_is_indented_least_and_not_before_what_closes() -> None:
    block = "  if (a) {\n" + "    call(a, b);\n" * 20 + "  }\n"
    found = _pieces("{\n" + block * 20, seams.code)
    assert all(piece.startswith("  if") for piece in found[1:])


def test_code_is_cut_after_a_blank_line_among_lines_indented_alike() -> None:
    found = _pieces(("  a = 1\n" * 30 + "\n") * 20, seams.code)
    assert all(piece.endswith("\n\n") for piece in found[:-1])


def test_code_in_one_line_is_cut_after_what_separates() -> None:
    assert all(piece[-1] in ";{}" for piece in _pieces("function a(b){return b+1};" * 200, seams.code))
