"""What a session records its runs into, and what it plays them from."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from assent.core.errors import AssentError
from assent.core.events import Event, Kind
from assent.history.recorder import Recorder
from assent.history.tape import Played, Tape
from assent.runs.run import Run

_log = logging.getLogger(__name__)


class Recordings:
    """The files of one session, by the names that settings give them; a name means the same file from then on."""

    def __init__(self) -> None:
        self._tapes: dict[str, Tape] = {}
        self._recorders: dict[str, Recorder] = {}
        self._played: dict[str, Played] = {}  # by run, those that may go on
        self._recorded: dict[str, Recorder] = {}  # by run, those at work

    def tape(self, file: str) -> Tape:
        """The recording of that name as this session plays it; `ConfigError` where there is none."""
        if file not in self._tapes:
            self._tapes[file] = Tape(_path(file))
        return self._tapes[file]

    def recorder(self, file: str) -> Recorder:
        """What records into the file of that name; `ConfigError` where there cannot be such a file."""
        if file not in self._recorders:
            self._recorders[file] = Recorder(_path(file))
        return self._recorders[file]

    def rewind(self, file: str) -> Tape:
        """The recording as it is on the disk now, from its beginning."""
        self._tapes.pop(file, None)
        return self.tape(file)

    def play(self, file: str, asked: str, agent: str, prompt: str) -> Played | None:
        """What answers a new run in the place of the model `asked`; None without a file."""
        if not file:
            return None
        tape = self.tape(file)
        return Played(tape, tape.take(agent, prompt), asked)

    def play_on(self, setting: str, events: Sequence[Event], *, otherwise: bool) -> Played | None:
        """What answers a run that goes on: what did so before, else the recorded run that is like it.

        Without a file in the setting, it is in the one that the run was begun with, unless the answers are to come from
        elsewhere (`otherwise`).
        """
        begun = next(event for event in reversed(events) if event.kind is Kind.RUN_STARTED)
        run, file = begun.run or "", setting or ("" if otherwise else begun.body.get("replay", ""))
        if file and run not in self._played:
            played = self.play(file, "", begun.agent or "", begun.body["prompt"])
            self._played |= {run: played} if played else {}
        return self._played.get(run) if file else None

    def begin(self, run: Run, played: Played | None, since: float, recorder: Recorder | None) -> None:
        """A run that began at `since` is at work: `played` answers it, or `recorder` is to have it."""
        name = run.state.run
        if played is not None:
            self._played[name] = played
            played.join(run, since)
        elif recorder is not None:
            self._recorded[name] = recorder

    def end(self, run: Run, events: Callable[[], Sequence[Event]]) -> None:
        """A run is at work no more: `events` gives all of its. A recording that fails must not cost the run."""
        name = run.state.run
        if run.state.status in ("finished", "cancelled"):
            self._played.pop(name, None)
        if (recorder := self._recorded.pop(name, None)) is None:
            return
        try:
            recorder.write(events(), run.tools)
        except (AssentError, OSError) as error:
            _log.warning("The run %s is not in the recording %s: %s", name, recorder.path, error)


def _path(file: str) -> Path:
    return Path(file).expanduser().absolute()
