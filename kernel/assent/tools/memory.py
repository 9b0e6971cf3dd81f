"""The tools `memory_search` and `memory_add`: recalling what was remembered, and remembering.

To add is `execute_safe`: it has an effect, so that it is refused to whoever may only read, asks in a strict run and is
not performed in a dry one; but the effect is the analyst's to undo, stays in the workspace and changes nothing else.
To forget is no tool.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from assent.memory.item import Hit, Item, origin
from assent.memory.memory import Memory
from assent.tools.tool import Output, Tool, tool

MOST = 50  # that one search gives an agent
_EMPTY = "There is nothing to look for: give some words."
_SHOWN = 500  # signs of a text in a transcript's table


def memory_tools(memory: Memory) -> tuple[Tool[Any, Any], ...]:
    """Both tools over a memory, which knows by itself whose run it is that calls."""

    @tool(name="memory_search", privilege="read_only", source="none")
    def memory_search(query: str, count: Annotated[int, Field(ge=1, le=MOST)] = 5, collection: str = "") -> Output:
        """Search what you and the analyst remembered in earlier runs by its words; the best comes first."""
        if not query.strip():
            return Output(_EMPTY, error=True)
        hits = memory.search(query, count, collection=collection or None)
        return Output(_text(hits), _display(hits))

    @tool(name="memory_add", privilege="execute_safe", source="none")
    def memory_add(
        text: str, kind: Literal["fact", "preference"] = "fact", collection: str = "", dated: date | None = None
    ) -> Output:
        """Remember a fact or preference for later runs, in a sentence that needs no other. `dated`: when it was so."""
        if not text.strip():
            return Output("There is nothing to remember: give a text.", error=True)
        when = None if dated is None else datetime(dated.year, dated.month, dated.day)
        [name] = memory.add([Item(text=text, kind=kind, collection=collection, dated=when)])
        return Output(f"Remembered as {name}.")

    return memory_search, memory_add


def _text(hits: Sequence[Hit]) -> str:
    return "\n\n".join([f"{_head(hit)}\n{hit.text}" for hit in hits]) or "Nothing that is remembered has these words."


def _head(hit: Hit) -> str:
    """Which it is, how well it fits, where it comes from, and when it was so."""
    when = f"as of {hit.dated:%Y-%m-%d}" if hit.dated else f"remembered {hit.time:%Y-%m-%d}"
    said = [hit.id, f"score {hit.score:.2f}", hit.kind, hit.collection, origin(hit), when]
    return f"[{' · '.join([item for item in said if item])}]"


def _display(hits: Sequence[Hit]) -> dict[str, Any]:
    rows = [[f"{hit.score:.2f}", hit.text[:_SHOWN], hit.kind, hit.collection, origin(hit), hit.id] for hit in hits]
    return {
        "type": "table",
        "columns": ["score", "text", "kind", "collection", "from", "id"],
        "rows": rows,
        "total": len(hits),
    }
