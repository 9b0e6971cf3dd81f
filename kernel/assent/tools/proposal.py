"""What a tool wants done and does not do itself: each proposal becomes a call of its own, through the one gate."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from assent.core.errors import ConfigError
from assent.core.secrets import hide_within

MOST = 50  # proposals of one call: more than anybody would read


@dataclass(frozen=True, slots=True)
class Proposal:
    """A call that a tool declared `proposes` wants: which tool, with which arguments, and why, for whoever is asked."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.tool, str) or not isinstance(self.why, str) or not isinstance(self.arguments, Mapping):
            raise ConfigError('Write Proposal(tool="NAME", arguments={"name": value}, why="…").')
        self.to_json()

    def to_json(self) -> dict[str, Any]:
        """The proposal as plain JSON values, without known keys; `ConfigError` where an argument is no such value."""
        try:
            text = json.dumps(dict(self.arguments), allow_nan=False, default=_plain)
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigError(f"The arguments of the proposal for {self.tool!r} are no JSON values: {error}.") from None
        return {"tool": self.tool, "arguments": hide_within(json.loads(text)), "why": hide_within(self.why)}


def split(result: Any) -> tuple[Any, tuple[Proposal, ...]]:
    """An ordinary result, None where there is none, and the proposals beside it.

    A tool gives a proposal, a list of them, or a pair of its result and either.
    """
    if isinstance(result, Proposal):
        return None, (result,)
    if isinstance(result, tuple) and len(result) == 2 and not isinstance(result[0], Proposal):
        beside, made = split(result[1])
        return (result[0], made) if beside is None else (result, ())
    if isinstance(result, list | tuple) and all(isinstance(item, Proposal) for item in result):
        return None, tuple(result)
    return result, ()


def _plain(value: Any) -> Any:
    """What a row of a table holds, as JSON says it: numbers of numpy, moments, exact decimals, paths."""
    if isinstance(value, date | Decimal | PurePath):
        return str(value)
    if callable(item := getattr(value, "item", None)) and getattr(value, "ndim", None) == 0:
        return item()
    raise TypeError(f"{type(value).__name__} is none")
