"""`%agent pause` and `%agent stop`: ending a run, in whichever kernel it is at work, for now or for good."""

from typing import Any

from assent.core.commands import PauseRun, StopRun
from assent.core.errors import ConfigError
from assent_magics import options
from assent_magics.desk import Desk


def pause(desk: Desk, rest: str) -> None:
    """Stop a run until somebody resumes it."""
    run, seconds = _asked(desk, rest, "pause", PauseRun("").seconds)
    _tell(run, desk.session.pause(run, seconds=seconds), "pauses", seconds)


def stop(desk: Desk, rest: str) -> None:
    """Cancel a run."""
    run, seconds = _asked(desk, rest, "stop", StopRun("").seconds)
    _tell(run, desk.cancel(run, seconds), "stops", seconds)


def _tell(run: str, status: str, verb: str, seconds: float | None) -> None:
    if status == "finished":
        print(f"The run {run} has finished: %agent show {run}")
    else:
        done = f"{verb} {_when(seconds)}" if status == "running" else f"is {status}"
        print(f"The run {run} {done}. %agent resume {run} goes on with it.")


def _asked(desk: Desk, rest: str, verb: str, default: float | None) -> tuple[str, float | None]:
    """The run that is meant, and how many seconds it has."""
    words, given = options.split(rest, options.STOP)
    run = options.one_run(words, verb)
    if len(given) > 1:
        raise ConfigError("Say --now or --graceful SECONDS, not both.")
    return desk.session.find(run), _seconds(given, default)


def _seconds(given: dict[str, Any], default: float | None) -> float | None:
    return 0 if "now" in given else given.get("graceful", default)


def _when(seconds: float | None) -> str:
    if seconds is None:
        return "once what is under way has ended"
    return f"within {seconds:g} s, as soon as what is under way has ended" if seconds else "at once"
