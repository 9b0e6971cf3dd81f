"""An answer as far as it has come: pieces in their order, deltas of what is new, a message at the end."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from assent.core.canonical import too_deep
from assent.core.messages import Message, Part, Reasoning, Text, ToolCall
from assent.core.model import Answer, CallDelta, Delta, ReasoningDelta, TextDelta, Usage
from assent.core.secrets import hide, hide_within


@dataclass(slots=True)
class Piece:
    """A part as far as it has come. `place` counts the calls before it; `extra` is what its vendor wants back."""

    kind: type[Text] | type[Reasoning] | type[ToolCall]
    text: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    name: str = ""
    place: int = 0


@dataclass(slots=True)
class Draft:
    """An answer as far as it has come.

    `stop` is why it ended, "" until the vendor said so; `done` that nothing of it can follow. `output` is the name of
    the tool whose arguments are the answer, where the vendor knows no other way to hold a model to a schema.
    """

    pieces: list[Piece] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    stop: str = ""
    done: bool = False
    model: str = ""
    output: str = ""
    calls: int = 0
    slots: dict[Any, Any] = field(default_factory=dict)  # what a format must remember from one event to the next
    _keyed: dict[Hashable, Piece] = field(default_factory=dict)

    def text(self, words: str, key: Hashable = "text") -> Iterator[Delta]:
        """More words of the text called `key`."""
        self.piece(Text, key).text.append(_text(words))
        if words:
            yield TextDelta(hide(words))

    def reasoning(self, words: str, key: Hashable = "reasoning") -> Iterator[Delta]:
        """More words of the thinking called `key`."""
        self.piece(Reasoning, key).text.append(_text(words))
        if words:
            yield ReasoningDelta(hide(words))

    def call(self, key: Hashable, arguments: str = "", *, id: str = "", name: str = "") -> Iterator[Delta]:
        """More of the call named `key`: its id and name once, then pieces of its arguments' JSON text."""
        piece = self.piece(ToolCall, key)
        piece.id = piece.id or id
        new = "" if piece.name else name  # some repeat the name in every chunk
        piece.name = piece.name or name
        piece.text.append(_text(arguments))
        if not self.output or piece.name != self.output:
            yield CallDelta(piece.place, hide(new), hide(arguments))
        elif arguments:
            yield TextDelta(hide(arguments))

    def piece(self, kind: type[Text] | type[Reasoning] | type[ToolCall], key: Hashable) -> Piece:
        """The piece of that kind called `key`, begun if it is new."""
        if (piece := self._keyed.get((kind, key))) is None:
            piece = self._keyed[kind, key] = Piece(kind, place=self.calls)
            self.pieces.append(piece)
            self.calls += kind is ToolCall
        return piece


def _text(words: Any) -> str:
    """The words; `TypeError` where a server put something else in their place."""
    if not isinstance(words, str):
        raise TypeError("text in an answer is no text")
    return words


def finish(draft: Draft, call_prefix: str, vendor: str) -> Answer:
    """The answer that the draft has become. Calls without an id of their own are named `call_prefix` and a number."""
    seen: set[str] = set()
    if draft.output and any(piece.kind is ToolCall and piece.name == draft.output for piece in draft.pieces):
        for piece in draft.pieces:  # words around the answer are no part of it
            piece.kind = Reasoning if piece.kind is Text else piece.kind
    parts = [part for piece in draft.pieces if (part := _part(draft, piece, call_prefix, vendor, seen)) is not None]
    message = Message("assistant", tuple(parts))
    stop = draft.stop or "stop"
    if message.calls and stop == "stop":
        stop = "calls"
    elif stop == "calls" and not message.calls:
        stop = "stop"
    return Answer(message, draft.usage, stop, draft.model)


def _part(draft: Draft, piece: Piece, call_prefix: str, vendor: str, seen: set[str]) -> Part | None:
    text, kept = hide("".join(piece.text)), _kept(piece.extra)
    extra = {vendor: kept} if kept else None
    if piece.kind is Reasoning:
        return Reasoning(text, extra) if text or extra else None
    if piece.kind is Text or (draft.output and piece.name == draft.output):
        return Text(text, extra) if text or extra else None
    given = hide(piece.id)
    name = given if given and given not in seen else f"{call_prefix}_{piece.place}"
    seen.add(name)
    return ToolCall(name, hide(piece.name), text or "{}", extra)


def _kept(extra: dict[str, Any]) -> Any:
    """What the vendor wants back, without known keys; nothing of what is nested too deeply to be written down."""
    return hide_within(extra) if extra and not too_deep(extra) else {}
