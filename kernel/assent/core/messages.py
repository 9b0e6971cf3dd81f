"""What a conversation is made of. A message is frozen, so every wire format may keep the bytes it made of it.

`extra`, on any part that a model wrote, is what a vendor wants back unchanged (a signature, say), under the vendor's
name: `{"anthropic": {…}}`. Another vendor never gets to see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words, for a person or from one."""

    text: str
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture from the user. `digest` (sha256) names its bytes among the workspace's payloads.

    The journal keeps the digest only; `data` is empty until the bytes were fetched.
    """

    media_type: str
    digest: str
    data: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A model's thinking; empty where the vendor keeps it to itself and only wants its `extra` back."""

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


Part = Text | Image | Reasoning | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `encoded` holds the bytes that were made of it, by who made them."""

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


def user(text: str, *images: Image) -> Message:
    return Message("user", (*images, Text(text)))


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def results(parts: list[ToolResult]) -> Message:
    return Message("tool", tuple(parts))


_KINDS: dict[str, type[Part]] = {
    "text": Text, "image": Image, "reasoning": Reasoning, "call": ToolCall, "result": ToolResult,
}  # fmt: skip
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(message: Message) -> dict[str, Any]:
    """A message as plain JSON values, for the journal."""
    return {"role": message.role, "parts": [part_to_json(part) for part in message.parts]}


def part_to_json(part: Part) -> dict[str, Any]:
    """A part as plain JSON values; what is not set is left out, and so are an image's bytes."""
    names = [name for name in part.__slots__ if name != "data"]
    return {"kind": _NAMES[type(part)], **{name: value for name in names if (value := getattr(part, name)) is not None}}


def from_json(value: Mapping[str, Any]) -> Message:
    """The inverse of `to_json`."""
    return Message(value["role"], tuple([part_from_json(item) for item in value["parts"]]))


def part_from_json(value: Mapping[str, Any]) -> Part:
    """The inverse of `part_to_json`."""
    fields = dict(value)
    return _KINDS[fields.pop("kind")](**fields)
