"""A notebook is its cells under its headings; what they have put out is left out."""

import json
from typing import Any

import pytest

from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.notebook import chunks


def _cell(kind: str, source: str | list[str], **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


def test_cells_are_chunks_by_their_numbers_under_the_headings_above() -> None:
    cells = [
        _cell("code", "%load_ext x"),
        _cell("markdown", ["# Guide\n", "Text\n", "## Data"]),
        _cell("code", ["a = 1\r\n", "a"], outputs=[{"output_type": "stream", "text": ["secret output"]}]),
        _cell("code", ""),
        _cell("markdown", "## Model"),
        _cell("raw", "raw"),
    ]
    assert list(chunks(json.dumps({"cells": cells, "nbformat": 4}))) == [
        Chunk("", "%load_ext x", 1, 1, "cell"),
        Chunk("Guide", "# Guide\nText", 2, 2, "cell", 1),
        Chunk("Guide > Data", "## Data", 2, 2, "cell", 2),
        Chunk("Guide > Data", "a = 1\na", 3, 3, "cell"),
        Chunk("Guide > Model", "## Model", 5, 5, "cell"),
        Chunk("Guide > Model", "raw", 6, 6, "cell"),
    ]


def test_a_cell_that_is_too_long_is_cut_into_parts() -> None:
    found = list(chunks(json.dumps({"cells": [_cell("code", "a = 1\n" * 1_000)]})))
    assert [(one.first, one.part) for one in found] == [(1, part) for part in range(1, len(found) + 1)]
    assert len(found) > 3


def test_old_notebooks_are_read_too() -> None:
    sheet = {"cells": [{"cell_type": "code", "input": ["a"]}, {"cell_type": "markdown", "source": "b"}]}
    assert [one.text for one in chunks(json.dumps({"worksheets": [sheet], "nbformat": 3}))] == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        '{"cells": [{"cell_type": "co',
        '{"cells": [{"source": "a"}]}',
        '{"cells": [{"cell_type": "code", "source": [1]}]}',
        '{"cells": 7}',
        "[1, 2]",
        "plain words",
        "[" * 5_000,
        "1" * 5_000,
    ],
)
def test_what_is_no_notebook_is_kept_as_the_text_that_it_is(text: str) -> None:
    found = list(chunks(text))
    assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())
    assert {one.unit for one in found} == {"line"}
