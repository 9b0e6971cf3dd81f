"""A process that dies by kill -9 at a chosen moment of its run, another that takes it up, and what became of effects.

Standard library only: what is measured beside Assent runs in an environment of its own.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

MOMENTS = ("after the effect", "before the next turn", "between two calls")
SPREAD = 0.01  # seconds after the moment within which death comes: what writes in the background gets somewhere
LIVES = 5
EFFECTS, ASKED = "effects", "asked"

Live = Callable[[Path, str], None]


def batches(moment: str) -> list[list[str]]:
    """The effects that each turn of the model asks for."""
    return [["first"], ["second", "third"] if moment == "between two calls" else ["second"], ["last"]]


def act(folder: Path, line: str, moment: str) -> None:
    """The effect: a line in a file, by one system call. In the first life death may come before or after it."""
    if moment == "between two calls" and line == "third":
        while "second" not in lines(folder, EFFECTS):
            time.sleep(0.001)
        _die_once(folder)
    append(folder, EFFECTS, line)
    if moment == "after the effect" and line == "second":
        _die_once(folder)


def asked(folder: Path, turn: int, moment: str) -> None:
    """The model is asked for this turn."""
    if moment == "before the next turn" and turn == 2:
        _die_once(folder)


def append(folder: Path, name: str, line: str) -> None:
    """One line more in a file."""
    handle = os.open(folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


def lines(folder: Path, name: str) -> list[str]:
    """The lines of a file, none where it is not there."""
    path = folder / name
    return path.read_text().split() if path.exists() else []


def count(live: Live, moment: str, kills: int) -> dict[str, int]:
    """Let `live` be killed so often, in a run of its own each time, and sum up: effects repeated, lost, asked about."""
    total: Counter[str] = Counter(repeated=0, lost=0, asked=0, unfinished=0)
    for _ in range(kills):
        with tempfile.TemporaryDirectory(prefix="assent-bench-") as name:
            folder = Path(name)
            total["unfinished"] += not any(_life(live, folder, moment) == 0 for _ in range(LIVES))
            done = Counter(lines(folder, EFFECTS))
            meant = [line for batch in batches(moment) for line in batch]
            total["repeated"] += sum(max(done[line] - 1, 0) for line in meant)
            total["lost"] += sum(done[line] == 0 for line in meant)
            total["asked"] += len(lines(folder, ASKED))
    return dict(total)


def main(live: Live) -> None:
    """`python -m … KILLS`: print the sums for each moment as JSON."""
    print(json.dumps({moment: count(live, moment, int(sys.argv[1])) for moment in MOMENTS}))


def _life(live: Live, folder: Path, moment: str) -> int:
    """What `live` ends with in a child that has everything imported: 0, or minus the signal that killed it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            live(folder, moment)
        except BaseException as error:
            print(type(error).__name__, error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_once(folder: Path) -> None:
    if lines(folder, "died"):
        return
    append(folder, "died", "once")
    time.sleep(random.uniform(0, SPREAD))
    os.kill(os.getpid(), signal.SIGKILL)
