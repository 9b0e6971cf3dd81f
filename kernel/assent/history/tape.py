"""A recording in the place of models: which recorded run is meant, its answers one by one, and those of people.

No model is ever asked instead. What does not fit is a `ModelError` that says what has changed.
"""

import difflib
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assent.core.commands import Decide
from assent.core.errors import ModelError
from assent.core.events import Event, Kind
from assent.core.grant import act_digest
from assent.core.ids import place
from assent.core.messages import Message, from_json
from assent.core.model import Answer, Delta, Notice, Request
from assent.core.privilege import LEVELS, level
from assent.history import drift
from assent.history.known import given
from assent.history.portable import portable
from assent.history.recording import Recording, Take, python_version, read
from assent.models.wrappers.cache import FREE, spoken
from assent.runs.call_state import CallState
from assent.runs.run import Run

_HIGHEST = level("execute_risky")  # what a recording may approve


class Tape:
    """A recording, and which of its runs a session has taken. From any thread."""

    def __init__(self, path: Path) -> None:
        self.recording: Recording = read(path)
        self._taken: set[int] = set()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self.recording.path.name

    @property
    def left(self) -> int:
        """How many recorded runs nobody has asked for yet."""
        return len(self.recording.takes) - len(self._taken)

    def take(self, agent: str, prompt: str) -> "Take | str":
        """The next recorded run of that agent with that prompt, or, in words, why there is none."""
        asked = portable(prompt)
        with self._lock:
            same = [take for take in self.recording.takes if (take.agent["name"], take.prompt) == (agent, asked)]
            free = [take for take in same if take.number not in self._taken]
            if free:
                self._taken.add(free[0].number)
                return free[0]
            return self._lacks(agent, asked, len(same))

    def _lacks(self, agent: str, asked: str, times: int) -> str:
        if times:
            once = "once" if times == 1 else f"{times} times"
            return (
                f"has this question {once}, and it was asked as often before. "
                f"%agent record --replay {self.name} begins it again"
            )
        takes = self.recording.takes
        for taken in (False, True):
            known = {take.prompt: take for take in takes if (take.number in self._taken) is taken}
            if close := difflib.get_close_matches(asked, list(known), 1):
                return _reworded(known[close[0]], agent, asked)
        has = "1 run" if len(takes) == 1 else f"{len(takes)} runs"
        return f"has no run of the agent {agent!r} that was asked {asked[:80]!r}; it has {has}"


def _reworded(take: Take, agent: str, asked: str) -> str:
    then, now, what = take.prompt, asked, "prompt"
    if then == now:
        then, now, what = take.agent["name"], agent, "agent"
    return f"does not fit: {drift.differs(f'the {what} of its {_nth(take.number)} run', then, now)}"


@dataclass(slots=True)
class Played:
    """A model whose answers are those of a recorded run. `join` tells it which run it is for.

    `asked` is the model that is to be asked by the settings, "" where they leave it open.
    """

    tape: Tape
    take: Take | str
    asked: str = ""
    run: Run | None = None
    amiss: str = ""  # what does not fit, before anything is asked
    since: float = 0.0  # when the run began, in seconds since the epoch
    stint: int = -1
    turn: int = 0  # the number of the turn that comes next, from 0
    same: int = 0  # how many messages of the run are known to be as they were recorded

    @property
    def name(self) -> str:
        """The recorded model's, under which the run is kept."""
        return self.asked or "recording" if isinstance(self.take, str) else self.take.model

    def join(self, run: Run, since: float) -> None:
        """Answer this run, which began at `since`, from now on: it begins, or goes on."""
        self.run, self.since, run.model, run.answered = run, since, self, self.answered
        self.stint, self.same = self.stint + 1, 0
        if isinstance(self.take, str):
            self.amiss = self.take
            return
        said = _turns_of(run.state.messages)  # more than the next where it was begun elsewhere, or is a fork
        while self.turn < len(self.take.turns) and _turns_of(self.take.turns[self.turn].before) < said:
            self.turn += 1
        if found := drift.of_run(self.take, run, self.asked, same_python=self._same_python):
            self.amiss = f"does not fit the {_nth(self.take.number)} run: {found}"

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        """The recorded answer to this very question; `ModelError` where the question is another one."""
        turn, run, take = self._turn(), self.run, self.take
        assert run is not None
        assert isinstance(take, Take)
        if turn.kind is Kind.MODEL_FAILED:
            raise ModelError(turn.body["error"])
        yield Notice(Kind.MODEL_REPLAYED, self.name, f"{self.tape.name}, run {take.number}, answer {turn.step}.")
        message = from_json(turn.body["message"])
        for delta in spoken(message):
            yield delta
        yield Answer(message, FREE, turn.body.get("stop", "stop"))

    def answered(self, run: Run, decided: list[Event]) -> list[Event]:
        """People's recorded answers to what waits, where all that they were about is as it was."""
        return given(run, decided, self._commands)

    @property
    def _same_python(self) -> bool:
        return self.tape.recording.python == python_version()

    def _turn(self) -> Event:
        take, run = self.take, self.run
        if self.amiss or isinstance(take, str) or run is None:
            raise self._error(self.amiss)
        if self.turn >= len(take.turns):
            raise self._error(f"ends here in its {_nth(take.number)} run, which was {take.end}, and more is asked")
        turn = take.turns[self.turn]
        if found := drift.of_question(turn, run.state, self.since, self.same):
            raise self._error(f"does not fit the {_nth(take.number)} run: {found}")
        self.turn, self.same = self.turn + 1, len(turn.before)
        return turn.event

    def _commands(self, call: CallState) -> Iterable[Decide]:
        """What the recording says of a call. It cannot approve what is above execute_risky, or under other rules."""
        run, take = self.run, self.take
        if self.amiss or run is None or isinstance(take, str) or run.on_ask == "deny" or call.unknown:
            return
        number = place(call.id)
        for stint, answered, event in take.answers:
            if stint <= self.stint and answered == number and self._holds(call, event, run):
                yield self._command(call, event)
            elif number in take.granted and answered < number and self._covers(call, event, run):
                yield Decide(call.id, "approve", self._by(event), "allowed for the run")

    def _holds(self, call: CallState, event: Event, run: Run) -> bool:
        body = event.body
        if event.tool != call.tool or call.asking.personal or call.privilege not in LEVELS:
            return False
        if event.decision == "reject":
            return True
        final, edited = body.get("arguments") or call.arguments, bool(body.get("arguments"))
        same = body.get("digest") == act_digest(call.tool, final) and body.get("policy_version") == run.rules.version
        same = same and (edited or body.get("bound", "") == call.bound)
        return event.decision == "approve" and same and level(call.privilege) <= _HIGHEST

    def _covers(self, call: CallState, event: Event, run: Run) -> bool:
        """Whether a recorded "for the run" was for this call, too. Here it holds for this one alone."""
        body = event.body
        same = event.tool == call.tool and body.get("policy_version") == run.rules.version
        return same and body.get("scope") in ("run", "session") and call.grantable and event.decision == "approve"

    def _command(self, call: CallState, event: Event) -> Decide:
        verdict: Literal["approve", "reject"] = "reject" if event.decision == "reject" else "approve"
        return Decide(call.id, verdict, self._by(event), event.body.get("reason", ""), event.body.get("arguments"))

    def _by(self, event: Event) -> str:
        return f"recording {self.tape.name} ({event.body.get('by', '')})"

    def _error(self, amiss: str) -> ModelError:
        name = self.tape.name
        return ModelError(
            f"The recording {name} {amiss}. Nothing was asked of a model. To record again: %agent record {name}, "
            "then run the notebook from its first cell."
        )


def _turns_of(messages: Iterable[Message]) -> int:
    return sum([message.role == "assistant" for message in messages])


def _nth(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
