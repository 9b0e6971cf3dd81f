"""How a language model is asked, whoever made it: one method, a stream of deltas, an answer at its end."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from assent.core.messages import Message


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it. `schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model. `tool_choice` is "auto", "none", "required" or a tool's name."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    tool_choice: str = "auto"


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More words of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class CallDelta:
    """More of a proposed call: the answer's n-th, its name once known, a piece of its arguments' JSON text."""

    index: int
    name: str
    arguments: str


Delta = TextDelta | ReasoningDelta | CallDelta


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. `input` includes `cached`, `output` includes `reasoning`; None is unknown."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None
    cost: Decimal | None = None  # US dollars; None where no price is known


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a stream: the whole message. `stop` is "stop", "calls", "length" or "filter"."""

    message: Message
    usage: Usage = field(default_factory=Usage)
    stop: str = "stop"
    model: str = ""


class Model(Protocol):
    """A language model. `stream` yields deltas and, last, exactly one `Answer`; it raises `ModelError`."""

    @property
    def name(self) -> str:
        """`provider:model`, as a user writes it."""

    def stream(self, request: Request) -> AsyncIterator[Delta | Answer]: ...
