"""What is remembered: a text with where it comes from and whose it is; which of it is looked for; what was found."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from assent.core.taint import Sources

ARCHIVED, UNSHOWN = "archived", "do_not_rag"
HIDDEN = (ARCHIVED, UNSHOWN)  # tags of what is found only where they are asked for by name
TURN = "turn"  # the kind of what was said in a conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A text to be remembered.

    `kind` is fact, preference, turn or file; `source` a path, or what else it is from; `part` and `place` which piece
    of that and where (lines 3-9). `dated` is when it was so, in UTC; None where it is no matter of time. `taint` are
    the untrusted sources that the text may come from: whoever recalls it has read them too.
    """

    text: str
    title: str = ""
    kind: str = "fact"
    collection: str = ""
    source: str = ""
    part: int = 0
    place: str = ""
    tags: Sequence[str] = ()
    dated: datetime | None = None
    taint: Sources = ()


def writable(item: Item) -> Item:
    """The item without halves of surrogate pairs: the database takes none, and refuses all that comes with one."""
    names = ("text", "title", "kind", "collection", "source", "place")
    texts: dict[str, Any] = {name: _whole(getattr(item, name)) for name in names}
    return replace(item, **texts, tags=[_whole(tag) for tag in item.tags])


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which items may be found: a tenant's, those that all named fields fit.

    An `agent` finds its own and what is no agent's; None finds all. Tags must all be there; those of `HIDDEN` are left
    out unless they are among them, or `hidden` is set.
    """

    tenant: str
    user: str | None = None
    agent: str | None = None
    notebook: str | None = None
    collection: str | None = None
    tags: Sequence[str] = ()
    since: datetime | None = None
    hidden: bool = False

    def __post_init__(self) -> None:
        """Masks are kept by their filter, so it has to be hashable; one tag may be given as it is."""
        object.__setattr__(self, "tags", (self.tags,) if isinstance(self.tags, str) else tuple(self.tags))

    def where(self) -> tuple[str, list[Any]]:
        """The condition on rows of the items' table, and its parameters."""
        terms, values = ["tenant = ?"], list[Any]([self.tenant])
        for name in ("user", "notebook", "collection"):
            if (value := getattr(self, name)) is not None:
                terms.append(f'"{name}" = ?')
                values.append(value)
        if self.agent is not None:
            terms.append("(agent IS NULL OR agent = ?)")
            values.append(self.agent)
        if self.since is not None:
            terms.append("coalesce(dated, time) >= ?")
            values.append(self.since)
        if self.tags:
            terms.append("list_has_all(tags, ?)")
            values.append(list(self.tags))
        left_out = [] if self.hidden else [tag for tag in HIDDEN if tag not in self.tags]
        if left_out:
            terms.append("NOT list_has_any(tags, ?)")
            values.append(left_out)
        return " AND ".join(terms), values


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An item that was found, with its score: the higher the better, comparable within one search only."""

    score: float
    id: str
    text: str
    title: str
    kind: str
    collection: str
    source: str
    place: str
    tags: Sequence[str] = field(default_factory=tuple)
    dated: datetime | None
    time: datetime
    agent: str | None
    user: str
    run: str | None
    taint: Sources = ()


def origin(hit: Hit) -> str:
    """Where an item comes from, for a person or a model to read."""
    if hit.source:
        return f"{hit.source} ({hit.place})" if hit.place else hit.source
    return f"{hit.agent} in the run {hit.run}" if hit.run else hit.user
