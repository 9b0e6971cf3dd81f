"""The layers of policy that hold, the highest first: the organisation's file, the workspace's, the session's values.

Each only adds to what the built-in layer and those above it ask; the strictest wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assent.core.canonical import digest
from assent.policy.entry import Entry, Layer


@dataclass(frozen=True, eq=False)
class Document:
    """One layer of policy: what the owners made of its sections. Equal digests mean that an approval means the same.

    `tools` are those that its entries name.
    """

    layer: Layer
    source: str
    sections: Mapping[str, tuple[Any, ...]]
    digest: str
    tools: tuple[tuple[Entry, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Layers:
    """Documents, the highest layer first. One value for as long as nothing changes, so it can be a key."""

    documents: tuple[Document, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        told = [[item.layer, item.digest] for item in self.documents]
        object.__setattr__(self, "digest", digest(told) if told else "")

    def of(self, section: str) -> tuple[Any, ...]:
        """What the owner of a section made of it in every layer, the highest first."""
        return tuple([value for item in self.documents for value in item.sections.get(section, ())])


NONE = Layers()
