"""One entry of a policy file: its values, and where they are written."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from assent.core.errors import ConfigError

Layer = Literal["organisation", "workspace", "session"]
LAYERS: tuple[Layer, ...] = ("organisation", "workspace", "session")  # who is above whom, the highest first


@dataclass(frozen=True, slots=True)
class Entry:
    """One `[[section]]` or `[section.NAME]` of a policy. Numbers with a point are Decimal; `name` is NAME.

    `line` is where it begins and `lines` where each key is, in `source`, which is a file; what is given from Python
    has the entry's number for a line.
    """

    values: Mapping[str, Any]
    line: int
    source: str
    layer: Layer = "workspace"
    name: str = ""
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def rule(self) -> str:
        """What a decision and a card call it: policy.toml:12; of the workspace's file if no other is named."""
        shown = {"organisation": "organisation's policy.toml", "workspace": "policy.toml"}
        return f"{shown.get(self.layer, self.layer)}:{self.line}"

    def error(self, problem: str, key: str = "") -> ConfigError:
        """The error to raise where the entry, or one key of it, makes no sense; `problem` says what to do."""
        return ConfigError(f"{self.source}:{self.lines.get(key, self.line)}: {problem}")

    def error_about(self, said: object, before: str = "") -> ConfigError:
        """The error where somebody else found a value wrong: at the line of the key whose value or name that says."""
        words = str(said)
        told = [key for key, value in self.values.items() if repr(value) in words or str(value) == words]
        told += [key for key in self.values if re.search(rf"\b{re.escape(key)}\b", words)]
        return self.error(f"{before}{words}", told[0] if told else "")

    def check_keys(self, known: Collection[str]) -> None:
        """Refuse a key that the section does not have."""
        for key in self.values:
            if key not in known:
                raise self.error(f"unknown key {key!r}{hint(key, known)}", key)


# What reads the entries of one section, all of one file: the owner's values, or ConfigError with the line.
Reader = Callable[[Sequence[Entry]], tuple[Any, ...]]


def hint(word: str, known: Collection[str]) -> str:
    """The end of a sentence about a word that is not known: what was meant, else what there is."""
    if close := difflib.get_close_matches(word, known, 1):
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(sorted(known)) or 'none'}."
