"""Where what a run has read came from: sources that nobody here vouches for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

UNTRUSTED = "This run has read what others may have written"
_SHOWN = 4  # sources that a sentence names
_LONGEST = 80  # characters of one


@dataclass(frozen=True, slots=True)
class Source:
    """What content came from: `kind` is file, web, mail, agent, tool, process, code or a word of a tool's own.

    `name` says which: an absolute path without links, a URL or host:port, the agent's or the tool's name.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        name = self.name if len(self.name) <= _LONGEST else f"…{self.name[1 - _LONGEST :]}"
        return f"{name} ({self.kind})"


Sources = tuple[Source, ...]


def pair(source: Source | tuple[str, str]) -> tuple[str, str]:
    """Kind and name of a source, which tools may also write as a pair."""
    return (source.kind, source.name) if isinstance(source, Source) else source


def merged(*groups: Iterable[Source]) -> Sources:
    """Each source once, in the order in which they came."""
    return tuple(dict.fromkeys([source for group in groups for source in group]))


def told(sources: Sequence[Source]) -> str:
    """A few of them for a sentence, the latest first, and how many more there are."""
    shown = ", ".join(map(str, sources[: -_SHOWN - 1 : -1]))
    more = len(sources) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def to_json(sources: Iterable[Source]) -> list[dict[str, str]]:
    """As the journal keeps them."""
    return [{"source": source.kind, "name": source.name} for source in sources]


def from_json(value: Any) -> Sources:
    """Sources from what `to_json` gave, or from a body that has none."""
    return tuple([Source(item["source"], item["name"]) for item in value or ()])
