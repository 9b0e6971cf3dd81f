"""How long what runs said is kept: the `[retention]` of a workspace's settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assent.core.errors import ConfigError

_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}
_AGE = re.compile(r"(\d{1,6})\s*([hdwy])")


@dataclass(frozen=True, slots=True)
class Retention:
    """`payloads`: seconds after its end that a run's texts are kept, None for ever.

    `keep` names what is kept whole for ever: runs, by their ids or the beginnings of them, and agents.
    """

    payloads: float | None = None
    keep: tuple[str, ...] = ()


def read(table: Mapping[str, Any]) -> Retention:
    """The rules of a table `[retention]`; `ConfigError` says what makes no sense in it."""
    if unknown := set(table) - {"payloads", "keep"}:
        raise ConfigError(f"Unknown setting retention.{min(unknown)}; there are payloads and keep.")
    keep = table.get("keep", [])
    if not isinstance(keep, list | tuple) or not all(isinstance(name, str) and name for name in keep):
        raise ConfigError(f"retention.keep is {keep!r}; it must be a list of runs and agents.")
    return Retention(_seconds(table.get("payloads", "")), tuple(keep))


def _seconds(text: Any) -> float | None:
    if text == "":
        return None
    match = _AGE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ConfigError(
            f'retention.payloads is {text!r}; write how long they are kept, such as "90d", "12w" or "1y".'
        )
    return float(match[1]) * _HOURS[match[2]] * 3600
