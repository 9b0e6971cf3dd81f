"""Paragraphs are joined up to what a chunk should hold, and stay whole up to twice that."""

from itertools import pairwise

from assent.memory.chunks import packing
from assent.memory.chunks.chunk import LONGEST, SIZE, Chunk
from assent.memory.chunks.section import Section


def _prose(text: str, *sections: Section) -> list[Chunk]:
    return list(packing.prose(text.split("\n"), sections))


def test_small_paragraphs_are_one_chunk_up_to_its_size() -> None:
    found = _prose("\n\n".join(["x" * 400] * 7))
    assert [one.text.count("x") for one in found] == [1200, 1200, 400]
    assert [(one.first, one.last, one.part) for one in found] == [(1, 5, 0), (7, 11, 0), (13, 13, 0)]


def test_a_paragraph_of_twice_the_size_stays_whole() -> None:
    found = _prose("x" * 800 + "\n\n" + "y" * LONGEST + "\n\n" + "z" * 800)
    assert [(one.text[0], len(one.text)) for one in found] == [("x", 800), ("y", LONGEST), ("z", 800)]


def test_a_longer_one_is_cut_and_its_parts_are_numbered_with_their_lines() -> None:
    found = _prose(
        "Before.\n\n" + "\n".join(["Words stand in lines of a hundred signs, and a sentence ends each." * 2] * 40)
    )
    assert [one.part for one in found] == [1, 2, 3, 4]
    assert (found[0].first, found[-1].last) == (1, 42)
    assert all(one.last + 1 == following.first for one, following in pairwise(found))


def test_a_tiny_paragraph_goes_with_its_neighbour() -> None:
    assert [len(one.text) for one in _prose("\n\n".join(["x" * SIZE, "tail", "y" * 1_400]))] == [SIZE + 6, 1_400]


def test_a_section_is_not_joined_with_the_next() -> None:
    assert _prose("a\nb\nc", Section(1, "B")) == [Chunk("", "a", 1, 1), Chunk("B", "b\nc", 2, 3)]


def test_blank_lines_inside_are_kept_and_around_are_not() -> None:
    assert _prose("\n \n  a\n\n\nb \n\n") == [Chunk("", "  a\n\n\nb", 3, 6)]


def test_indentation_that_is_none_is_dropped() -> None:
    assert _prose(" " * 100_000 + "x" + " " * 100_000 + "y") == [
        Chunk("", "x", 1, 1, part=1),
        Chunk("", "y", 1, 1, part=2),
    ]


def test_code_stays_whole_up_to_twice_the_size() -> None:
    lines = [*["a = 1", ""] * 400, *["b = 1", ""] * 600]
    found = list(packing.code(lines, [Section(800, "b")]))
    assert [(one.title, one.part) for one in found] == [("", 0), ("b", 1), ("b", 2), ("b", 3)]
