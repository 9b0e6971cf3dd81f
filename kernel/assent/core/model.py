"""How a language model is asked, whoever made it: one method, a stream of deltas, an answer at its end."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from assent.core.events import Kind
from assent.core.messages import Message

Effort = Literal["none", "low", "medium", "high"]
Priority = Literal["critical", "high", "mid", "low"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it. `schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """What the answer's text must be: JSON that fits `schema`, whose root is an object."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model. `tool_choice` is "auto", "none", "required" or a tool's name.

    `effort` is how much the model is to think, None leaves it to the vendor. `agent` and `priority` say who asks and
    how urgently; no vendor is told. `loading` makes it ready for whoever is asked (models.wrappers.outward).
    """

    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    tool_choice: str = "auto"
    output: OutputSchema | None = None
    effort: Effort | None = None
    agent: str = ""
    priority: Priority = "mid"
    loading: "Loading | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Destination:
    """Who is asked: `provider` and `host`; `local` where nothing leaves the machine."""

    model: str
    provider: str
    host: str
    local: bool


def _as_it_is(text: str, quoted: bool = False) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is sent: masked, with the `account` of it that the journal keeps.

    `restored` puts back what may be put back into an answer's text; into JSON text, where it is `quoted`. `restores`
    says whether there is any such thing.
    """

    request: Request
    account: Mapping[str, Any] = field(default_factory=dict)
    restored: Callable[[str, bool], str] = _as_it_is
    restores: bool = False


# What makes a request ready for a destination; `core.errors.Withheld` where it must not go there.
Loading = Callable[[Request, Destination], Sent]


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


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that befell a request on its way: retried, waited for, cached, fallen back, a circuit opened or closed.

    `kind` is how the journal calls it; None is for what only a display should say, while it lasts. `model` is whom it
    befell, `seconds` how long it takes or took. `restart` tells that what was shown of the answer so far is void.
    """

    kind: Kind | None
    model: str
    reason: str
    seconds: float | None = None
    restart: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


Delta = TextDelta | ReasoningDelta | CallDelta | Notice


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; None is unknown.

    `input` includes `cached` (read from the vendor's prompt cache) and `cache_write` (put into it); `output` includes
    `reasoning`.
    """

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None
    cost: Decimal | None = None  # US dollars; None where no price is known
    cache_write: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a stream: the whole message. `stop` is "stop", "calls", "length" or "filter".

    `model` is what the vendor calls the model. `by`, "provider:model", is who answered where that is not who was asked.
    """

    message: Message
    usage: Usage = field(default_factory=Usage)
    stop: str = "stop"
    model: str = ""
    by: str = ""


class Model(Protocol):
    """A language model. `stream` yields deltas and, last, exactly one `Answer`; it raises `ModelError`."""

    @property
    def name(self) -> str:
        """`provider:model`, as a user writes it."""

    def stream(self, request: Request) -> AsyncIterator[Delta | Answer]: ...
