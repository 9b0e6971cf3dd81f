"""Recognise, among all that arrives on the shell channel, what a person decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TYPES = frozenset({"decision", "pause", "stop"})


@dataclass(frozen=True, slots=True)
class Click:
    """A decision, a pause or a stop that a front end sent: through which comm, and what it says."""

    comm_id: str
    content: Mapping[str, Any]


def click(body: Mapping[str, Any]) -> Click | None:
    """The click in the content of a `comm_msg`, from a widget (`method: custom`) or a bare comm; else None."""
    data = body.get("data") or {}
    content = data.get("content") if data.get("method") == "custom" else data
    if not isinstance(content, Mapping) or content.get("type") not in TYPES:
        return None
    return Click(str(body.get("comm_id")), content)
