"""kill -9 of processes that compact a workspace, at moments by chance."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.nursery import Nursery

from assent.store.compact import PREFIX


def kill(
    function: str, folder: Path, times: int, between: tuple[float, float], seed: int, check: Callable[[Path], None]
) -> None:
    """Begin `function` (`module:name`) in `folder` and kill it between so many seconds, again and again; then `check`.

    Some kills must have hit a process that was still at work, and some a compaction that was under way.
    """
    chance = random.Random(seed)
    killed = unfinished = 0
    with Nursery(function) as nursery:
        for _ in range(times):
            ended = nursery.kill_after(chance.uniform(*between), str(folder))
            assert ended in (0, -signal.SIGKILL)
            killed += ended != 0
            unfinished += any((folder / "workspace").glob(f"{PREFIX}*"))
            check(folder)
    assert killed > times / 3
    assert unfinished  # otherwise no kill has hit a compaction


def note(file: Path, *lines: str) -> None:
    """Acknowledge something on the disk: no kill behind this may undo it."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, "".join([f"{line}\n" for line in lines]).encode())
    os.close(handle)


def noted(file: Path) -> set[str]:
    """What processes that were killed have acknowledged in a file."""
    return set(file.read_text().split()) if file.exists() else set()
