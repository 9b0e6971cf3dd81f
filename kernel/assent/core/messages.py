"""What a conversation is made of. A message is frozen, so every wire format may keep the bytes it made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words, for a person or from one."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A model's thinking. `extra` is what its vendor wants back unchanged (a signature, say)."""

    text: str
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model proposes. `arguments` is the JSON text as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call, as the model reads it."""

    id: str
    name: str
    text: str
    error: bool = False


Part = Text | Reasoning | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `encoded` holds the bytes a wire format made of it, by the format's name."""

    role: Role
    parts: tuple[Part, ...]
    encoded: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def text(self) -> str:
        return "".join([part.text for part in self.parts if isinstance(part, Text)])

    @property
    def reasoning(self) -> str:
        return "".join([part.text for part in self.parts if isinstance(part, Reasoning)])

    @property
    def calls(self) -> list[ToolCall]:
        return [part for part in self.parts if isinstance(part, ToolCall)]


def system(text: str) -> Message:
    return Message("system", (Text(text),))


def user(text: str) -> Message:
    return Message("user", (Text(text),))


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def results(parts: list[ToolResult]) -> Message:
    return Message("tool", tuple(parts))


_KINDS: dict[str, type[Part]] = {"text": Text, "reasoning": Reasoning, "call": ToolCall, "result": ToolResult}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(message: Message) -> dict[str, Any]:
    """A message as plain JSON values, for the journal."""
    parts = [
        {"kind": _NAMES[type(part)], **{name: getattr(part, name) for name in part.__slots__}} for part in message.parts
    ]
    return {"role": message.role, "parts": parts}


def from_json(value: Mapping[str, Any]) -> Message:
    """The inverse of `to_json`."""
    parts = []
    for item in value["parts"]:
        fields = dict(item)
        parts.append(_KINDS[fields.pop("kind")](**fields))
    return Message(value["role"], tuple(parts))
