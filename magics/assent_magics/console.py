"""A run in plain text, for terminals and consoles: what is said as it is said, and a prompt where a call asks."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from assent.core.approval import Decided, Pending
from assent.core.commands import Decide
from assent.core.errors import AssentError, ConfigError
from assent.core.events import ENDINGS, LIFECYCLE, Event, Kind, Progress
from assent.core.messages import from_json
from assent.core.model import Notice, TextDelta
from assent.core.people import check_listed
from assent_widgets.approval import pending_bundle, question_text, visible_json
from assent_widgets.calls import SOURCES, granted, source_of
from assent_widgets.endings import way_on, why
from assent_widgets.escape import clean
from assent_widgets.notices import NOTICES, notice_line
from assent_widgets.transcript import Transcript, fork_of

Prompt = Callable[[str], Awaitable[str]]
_STOPPED = ENDINGS - {Kind.RUN_FINISHED}
_CHOICES = "approve (a), edit (e), reject (r), allow for this session (s), allow for this run (w): "
_ONCE = "approve (a), edit (e), reject (r): "
_PERSONAL = "approve as somebody who has a passphrase (a), reject (r): "
_UNKNOWN = "run it again (a), it did happen (h), it did not and must not (r): "
_WORDS = {"approve": "a", "y": "a", "yes": "a", "edit": "e", "reject": "r", "n": "r", "no": "r", "session": "s",
          "allow": "w"}  # fmt: skip
_WORDS_OF_UNKNOWN = {"again": "a", "happened": "h", "reject": "r", "n": "r", "no": "r"}
TRIES = 3  # lines in a row that are no letter: whoever presses Enter only, or an input that nobody types into


class ConsoleView:
    """Prints a run. `prompt` asks the person one line; `decide` takes the answer.

    `leave` ends a run at whose question the input was ended, `suspend` one that nobody answers. Without a `prompt` a
    question is only shown. `secret` is one that does not show what is typed.
    """

    def __init__(
        self, prompt: Prompt | None, decide: Callable[[Decide], object], leave: Callable[[str], object],
        suspend: Callable[[str], object], secret: Prompt | None = None,
    ) -> None:  # fmt: skip
        self.transcript = Transcript()
        self._prompt = prompt
        self._secret = secret
        self._decide = decide
        self._leave = leave
        self._suspend = suspend
        self._streamed = False
        self._then = ""  # how the run stopped and how to go on with it; not said where the record itself goes on
        self._one = asyncio.Lock()  # a terminal has room for one question at a time

    def take(self, item: Event | Progress) -> None:
        """Print one more event or delta."""
        self.transcript.apply(item)
        if isinstance(item, Progress):
            if isinstance(item.delta, TextDelta):
                self._streamed = True
                _write(item.delta.text)
            elif isinstance(item.delta, Notice):
                _write(item.delta.reason + "\n")
            return
        if item.body.get("restart") and self._streamed:
            self._streamed = False
            _write("\n")
        if item.kind is Kind.MODEL_ANSWERED:
            self._said(from_json(item.body["message"]).text)
        if item.body.get("partial"):
            self._said(str(item.body["partial"]))
        for line in _lines(item):
            _write(line + "\n")
        if item.kind in LIFECYCLE:
            self._then = _stopped(item) if item.kind in _STOPPED else ""

    def _said(self, words: str) -> None:
        """The end of an answer; what did not come in deltas (a run shown again) is printed now."""
        if words.strip():
            _write("\n" if self._streamed else f"{words}\n")
        self._streamed = False

    async def ask(self, pending: Pending) -> None:
        """Ask about one call until there is an answer."""
        async with self._one:
            asked = question_text(pending) if self._prompt else pending_bundle(pending)["text/plain"]
            _write(f"\n{asked}\n")
            if self._prompt is not None and not await self._heard(pending, self._prompt):
                self._prompt = None  # what else the run asks is only shown
                _write(f"{TRIES} times no answer: nobody is asked here any more. %agent pending shows what waits.\n")
                self._suspend(pending.run)

    async def _heard(self, pending: Pending, prompt: Prompt) -> bool:
        """Ask until an answer is taken, or the input is ended; False where nobody seems to type."""
        missed = 0
        while missed < TRIES:
            missed += 1
            try:
                letter = await _letter(pending, prompt)
                missed = 0
                self._decide(await self._command(letter, pending, prompt))
                return True
            except EOFError:
                self._leave(pending.run)
                return True
            except AssentError as error:
                _write(f"{error}\n")
        return False

    def settle(self, call: str, decided: Decided) -> None:
        """Nothing is left standing on a terminal that would have to change."""

    def withdraw(self, call: str) -> None:
        """What the run says next tells what became of the call."""

    def end(self) -> None:
        """How to go on, where one can, and the closing line: status, tokens, cost."""
        undone = [f"Dry run. {words}\n"] if (words := self.transcript.undone) else []
        _write("".join([*undone, self._then, self.transcript.text().partition("\n")[0], "\n"]))

    async def _command(self, letter: str, pending: Pending, prompt: Prompt) -> Decide:
        if pending.unknown:
            return await self._proved(await _settled(letter, pending, prompt), pending, prompt)
        match letter:
            case "a":
                return await self._proved(Decide(pending.call, "approve"), pending, prompt)
            case "w":
                return Decide(pending.call, "approve", scope="run")
            case "s":
                return Decide(pending.call, "approve", scope="session")
            case "r":
                return Decide(pending.call, "reject", reason=await prompt("why (the agent reads it): "))
        return Decide(pending.call, "approve", arguments=await _edited(pending, prompt))

    async def _proved(self, command: Decide, pending: Pending, prompt: Prompt) -> Decide:
        if not pending.personal or command.verdict == "reject" or command.outcome is not None:
            return command
        by = (await prompt("your name: ")).strip()
        if pending.who and by not in pending.who:
            raise ConfigError(f"{by} cannot approve {pending.call}: the rules ask {' or '.join(pending.who)} for that.")
        check_listed(by)
        return replace(command, by=by, passphrase=await (self._secret or prompt)(f"the passphrase of {by}: "))


async def _letter(pending: Pending, prompt: Prompt) -> str:
    """The letter of what a person wants to do; `ConfigError` where it is none."""
    words = _WORDS_OF_UNKNOWN if pending.unknown else _WORDS
    choices = (
        _UNKNOWN if pending.unknown else _PERSONAL if pending.personal else _CHOICES if pending.grantable else _ONCE
    )
    answer = (await prompt(choices)).strip()
    letter = words.get(answer.lower(), answer.lower())
    if letter not in words.values():
        raise ConfigError(f"{answer!r} is none of the letters in brackets.")
    return letter


async def _settled(letter: str, pending: Pending, prompt: Prompt) -> Decide:
    """What a person says of a call whose outcome is unknown."""
    match letter:
        case "a":
            return Decide(pending.call, "approve")
        case "h":
            if outcome := (await prompt("its result, in a few words (the agent reads it): ")).strip():
                return Decide(pending.call, "approve", outcome=outcome)
            raise ConfigError("Nothing was recorded: say what its result was.")
    return Decide(pending.call, "reject", reason=await prompt("what is to be done instead (the agent reads it): "))


async def _edited(pending: Pending, prompt: Prompt) -> dict[str, Any]:
    """New arguments, from one line: JSON, or the code itself where the call is nothing else."""
    _, language = source_of(pending.tool, pending.arguments)
    if language != "JSON":
        text = await prompt(f"the {language} on one line, or the arguments as JSON\n> ")
        if not text.lstrip().startswith("{"):
            return {SOURCES[pending.tool]: text}
    else:
        text = await prompt(f"the arguments as JSON, now {visible_json(pending.arguments)}\n> ")
    return _object(text)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"That is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ConfigError("The arguments must be one JSON object.")
    return value


def _lines(event: Event) -> list[str]:
    body = event.body
    match event.kind:
        case Kind.RUN_STARTED | Kind.RUN_RESUMED:
            return [*_fork(body.get("fork")), *[f"Policy: {remark}" for remark in body.get("remarks", ())]]
        case Kind.CALL_DECIDED if event.decision != "ask":
            source, _ = source_of(event.tool or "", body["arguments"])
            return [f"▸ {event.tool}", *_indented(source), *_indented(granted(event))]
        case Kind.CALL_FINISHED:
            return _indented(body["text"], 12)
        case kind if kind in NOTICES:
            return [notice_line(event)]
        case Kind.STOP_REQUESTED:
            return [f"{'pausing' if body.get('then') == 'pause' else 'stopping'}: {body.get('reason') or ''}"]
    return []


def _stopped(event: Event) -> str:
    """How a run ended without an answer, and how to go on with it."""
    said = f"{event.kind.value.removeprefix('run_')}: {why(event)}"
    return "".join([f"{line}\n" for line in (said, way_on(event)) if line])


def _fork(fork: Mapping[str, Any] | None) -> list[str]:
    said = [f"> {line}" for line in str(fork.get("prompt", "")).splitlines()] if fork else []
    return [f"fork of {fork_of(fork)}", *said] if fork else []


def _indented(text: str, most: int = 60) -> list[str]:
    lines = clean(text).splitlines()
    more = [f"    … {len(lines) - most} more lines"] if len(lines) > most else []
    return [f"    {line}" for line in lines[:most]] + more


def _write(text: str) -> None:
    sys.stdout.write(clean(text))
    sys.stdout.flush()
