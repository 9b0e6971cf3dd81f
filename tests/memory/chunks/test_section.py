"""Headings make a path, and sections divide all lines."""

from assent.memory.chunks.section import Section, headed, spans, title, under


def test_a_heading_ends_those_of_its_level_and_below() -> None:
    path = under(under(under((), 1, "Guide"), 3, "Deep"), 2, " Install \t it ")
    assert title(path) == "Guide > Install it"
    assert title(under(path, 1, "Next")) == "Next"


def test_a_heading_counts_up_to_a_length() -> None:
    assert len(title(under((), 1, "x" * 1_000_000))) == 200


def test_a_tiny_head_goes_with_the_first_part() -> None:
    parts = [Section(2, "A.b"), Section(5, "A")]
    assert headed(Section(1, "A"), parts, 20) == [Section(1, "A.b"), Section(5, "A")]
    assert headed(Section(1, "A"), parts, 2_000) == [Section(1, "A"), *parts]
    assert headed(Section(1, "A"), [], 20) == [Section(1, "A")]


def test_what_stands_before_the_first_section_has_no_title() -> None:
    assert list(spans([Section(2, "A"), Section(2, "B"), Section(4, "C")], 4)) == [(0, 2, ""), (2, 4, "B")]
