"""A model that follows a script: for tests, examples and measurements."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.core.errors import ModelError
from assent.core.messages import Message, Part, Reasoning, Text, ToolCall, from_json
from assent.core.model import Answer, CallDelta, Delta, ReasoningDelta, Request, TextDelta, Usage

USAGE = Usage(input=10, output=5)

Said = str | Part | Message | Sequence[Part] | BaseException


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer: text, parts, a message, an exception to raise, or a function from the request to one of these.

    `delay` is in seconds, before the first delta. `size` is how many characters a text delta has.
    """

    says: Said | Callable[[Request], Said]
    delay: float = 0.0
    size: int = 12
    usage: Usage = USAGE


class ScriptedModel:
    """Answers by its turns.

    Which one is told by the assistant messages in the request, so a resumed or forked run goes on where it was and
    many runs may share one script.
    """

    def __init__(self, turns: Iterable[Turn | Said | Callable[[Request], Said]], name: str = "scripted:script") -> None:
        self.turns = tuple(turn if isinstance(turn, Turn) else Turn(turn) for turn in turns)
        self.name = name

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        """Deltas, then the answer; `ModelError` past the script's end."""
        number = sum([message.role == "assistant" for message in request.messages])
        if number >= len(self.turns):
            raise ModelError(f"The script has {len(self.turns)} turns and was asked for one more.")
        turn = self.turns[number]
        if turn.delay:
            await asyncio.sleep(turn.delay)
        message = _message(turn.says(request) if callable(turn.says) else turn.says)
        calls = 0
        for part in message.parts:
            for delta in _deltas(part, calls, turn.size):
                yield delta
            calls += isinstance(part, ToolCall)
        yield Answer(message, turn.usage, "calls" if message.calls else "stop", self.name)


def from_file(path: Path) -> ScriptedModel:
    """`scripted:PATH`: a JSON list of turns, each a text or a list of parts as the journal writes them.

    Or an object of several such lists, each under words of the prompt that it answers; the first that fits is taken.
    """
    try:
        script = json.loads(path.read_text("utf-8"))
        scripts = script if isinstance(script, dict) else {"": script}
        conversations = {words: [_turn(turn) for turn in turns] for words, turns in scripts.items()}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"The script {path} cannot be read: {error}. Name a JSON file of turns.") from None
    longest = max([len(turns) for turns in conversations.values()], default=0)
    return ScriptedModel([_told_by(conversations, number) for number in range(longest)], f"scripted:{path}")


def _turn(turn: Any) -> Said:
    return turn if isinstance(turn, str) else from_json({"role": "assistant", "parts": turn})


def _told_by(conversations: Mapping[str, Sequence[Said]], number: int) -> Callable[[Request], Said]:
    """The n-th turn of the conversation that the prompt belongs to."""

    def says(request: Request) -> Said:
        prompt = next((message.text for message in request.messages if message.role == "user"), "")
        turns = next((turns for words, turns in conversations.items() if words in prompt), ())
        return (
            turns[number]
            if number < len(turns)
            else ModelError(f"The script has no turn {number + 1} for {prompt[:80]!r}.")
        )

    return says


def _message(said: Said) -> Message:
    if isinstance(said, BaseException):
        raise said
    if isinstance(said, Message):
        return said
    if isinstance(said, str):
        return Message("assistant", (Text(said),))
    if isinstance(said, Part):
        return Message("assistant", (said,))
    return Message("assistant", tuple(said))


def _deltas(part: Part, index: int, size: int) -> list[Delta]:
    if isinstance(part, Text):
        return [TextDelta(part.text[at : at + size]) for at in range(0, len(part.text), size)]
    if isinstance(part, Reasoning):
        return [ReasoningDelta(part.text[at : at + size]) for at in range(0, len(part.text), size)]
    if isinstance(part, ToolCall):
        return [CallDelta(index, part.name, part.arguments)]
    return []
