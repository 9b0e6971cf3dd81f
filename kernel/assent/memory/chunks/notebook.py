"""Notebooks: their cells, without outputs, under the headings of the Markdown cells above."""

import json
from collections.abc import Iterator
from typing import Any

from assent.memory.chunks import data, markdown, packing
from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.section import Path, Section, title


def chunks(text: str) -> Iterator[Chunk]:
    """The chunks of a notebook, by the numbers of its cells; of JSON where it is no notebook."""
    cells = _cells(text)
    if cells is None:
        yield from data.nested(text)
        return
    path: Path = ()
    for number, (kind, source) in enumerate(cells, 1):
        lines = source.split("\n")
        if kind == "markdown":
            outline = markdown.outline(lines, path)
            path = outline.path
            found = packing.prose(lines, outline.sections, outline.solid)
        else:
            found = packing.code(lines, [Section(0, title(path))])
        yield from packing.placed(found, "cell", number)


def _cells(text: str) -> list[tuple[str, str]] | None:
    """The kind and source of each cell; of notebooks before version 4 too, which kept them in worksheets."""
    try:
        notebook: Any = json.loads(text)
        sheets = notebook.get("worksheets") or [notebook]
        return [(str(cell["cell_type"]), _source(cell)) for sheet in sheets for cell in sheet["cells"]]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None


def _source(cell: dict[str, Any]) -> str:
    found = cell["input"] if "input" in cell else cell["source"]
    text = found if isinstance(found, str) else "".join(found)
    return text.replace("\r\n", "\n").replace("\r", "\n")
