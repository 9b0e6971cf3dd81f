"""Headings open chunks of their own, under the path of all above; code in fences is no heading."""

import pytest

from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.markdown import chunks


def _titles(text: str) -> list[str]:
    return [one.title for one in chunks(text)]


def test_a_chunk_stands_under_the_path_of_its_headings() -> None:
    assert list(chunks("Before.\n# Guide\nIt is.\n\n## Install\n\nSo.\n## Use\nThus.\n# More")) == [
        Chunk("", "Before.", 1, 1),
        Chunk("Guide", "# Guide\nIt is.", 2, 3),
        Chunk("Guide > Install", "## Install\n\nSo.", 5, 7),
        Chunk("Guide > Use", "## Use\nThus.", 8, 9),
        Chunk("More", "# More", 10, 10),
    ]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("# A", "A"),
        ("   ### A ###  ", "A"),
        ("#\tA", "A"),
        ("# C#", "C"),
        ("# [A](http://x) and ![b](c.png)", "A and b"),
        ("#", ""),
        ("#A", ""),
        ("    # A", ""),
        ("####### A", ""),
        ("A\n===", "A"),
        ("A\n---  ", "A"),
        ("two lines\nA\n---", ""),
        ("- item\n---", ""),
        ("| a |\n---", ""),
        ("\n---", ""),
    ],
)
def test_a_heading_is_what_markdown_takes_for_one(line: str, title: str) -> None:
    assert _titles(f"text\n\n{line}")[-1] == title


@pytest.mark.parametrize("fence", ["```", "~~~", "````", "  ```", "> ```"])
def test_a_fence_hides_headings_until_it_is_closed(fence: str) -> None:
    assert _titles(f"# A\n{fence}py\n# no\n``\n\n{fence}\n# B") == ["A", "B"]
    assert _titles(f"# A\n{fence}py\n# no\n\n# nor this") == ["A"]


def test_code_in_a_fence_stays_in_one_piece() -> None:
    code = "```\n" + ("x = 1\n" * 100 + "\n") * 3 + "```"
    found = list(chunks("text\n" * 200 + "\n" + code + "\n\n" + "text\n" * 200))
    assert [one.text.startswith("```") and one.text.endswith("```") for one in found] == [False, True, False]


def test_what_stands_before_it_all_has_no_headings() -> None:
    assert _titles("---\ntitle: A\n# remark\n---\n# B") == ["", "B"]
    assert _titles("---\n# B") == ["", "B"]


def test_a_long_section_is_several_chunks_under_one_title() -> None:
    assert set(_titles("# A\n\n" + "\n\n".join(["x" * 1_000] * 5))) == {"A"}
