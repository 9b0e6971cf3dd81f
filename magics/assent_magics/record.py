"""`%agent record` and `%agent replay`: runs into a file and out of it, and a run of the journal gone through again."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assent.core.errors import ConfigError
from assent_magics import options
from assent_magics.desk import Desk


def replay(desk: Desk, rest: str) -> None:
    """Go through a run again and say whether it is the same."""
    words, _ = options.split(rest, options.NONE)
    session = desk.session
    run = session.find(options.one_run(words, "replay"))
    with ThreadPoolExecutor(1) as apart:  # this thread's event loop is running already
        print(apart.submit(lambda: asyncio.run(session.replay(run))).result())


def record(desk: Desk, rest: str) -> None:
    """Record the runs that follow, or answer them from a recording, or end both, or say which holds."""
    words, given = options.split(rest, options.RECORD)
    if len(words) + len(given) > 1:
        raise ConfigError("Say one thing: %agent record FILE, %agent record --replay FILE, or %agent record --off.")
    if words:
        _begin(desk, _whole(words[0]))
    elif "replay" in given:
        _play(desk, _whole(given["replay"]))
    elif given:
        desk.settings.record, desk.settings.replay = "", None
    print(_state(desk))


def _begin(desk: Desk, file: str) -> None:
    desk.session.recordings.recorder(file)  # or it is an error before anything changes
    desk.settings.record, desk.settings.replay = file, None


def _play(desk: Desk, file: str) -> None:
    desk.session.recordings.rewind(file)
    desk.settings.replay = file


def _state(desk: Desk) -> str:
    config, recordings = desk.config, desk.session.recordings
    if config.replay:
        tape = recordings.tape(config.replay)
        none = ", and none is recorded" if config.record else ""
        left = f"{tape.left} of {len(tape.recording.takes)} are left"
        return f"Runs are answered from {config.replay}{none}: {left}. No model is asked."
    if not config.record:
        return "Runs are neither recorded nor answered from a recording."
    recorder = recordings.recorder(config.record)
    there = f"{len(recorder)} so far" if len(recorder) else recorder.will
    return f"Runs are recorded into {config.record}: {there}. %agent record --off ends it."


def _whole(file: str) -> str:
    """The path as it is now: a cell may change the folder."""
    return str(Path(file).expanduser().absolute())
