"""Four processes on one workspace: how long a commit takes through the owner, and how long its death stalls them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from assent.store.sharing import address
from bench.report import Figure
from bench.sizes import Sizes

WRITERS = 4
_WRITER = """
import sys, time
from pathlib import Path
from assent.core.events import Event, Kind
from assent.store.journal import Journal
journal, waits = Journal(Path(sys.argv[1])), []
print("ready", flush=True)
until = time.time() + float(sys.stdin.readline())
while time.time() < until:
    began = time.perf_counter()
    journal.append([Event(kind=Kind.MODEL_FAILED, run=sys.argv[2])]).result(30)
    waits.append((time.perf_counter() - began) * 1e3)
journal.close()
print(*waits)
"""


def measure(sizes: Sizes) -> list[Figure]:
    """Wall time in ms of one event, from `append` to durable; beside it one process that has the workspace alone."""
    alone = sorted(_waits(1, sizes.shared))
    shared = sorted(_waits(WRITERS, sizes.shared))
    killed = _waits(WRITERS, sizes.shared, kills=sizes.deaths)
    return [
        Figure(f"{WRITERS} processes: a commit, p50", median(shared), "ms", median(alone), aim=6),
        Figure(
            f"{WRITERS} processes: a commit, p99", shared[len(shared) * 99 // 100], "ms", alone[len(alone) * 99 // 100]
        ),
        Figure(f"{WRITERS} processes: commits", len(shared) / sizes.shared, "a second", len(alone) / sizes.shared),
        Figure(f"the owner killed {sizes.deaths} times: the longest stall", max(killed), "ms", aim=2000),
    ]


def _waits(writers: int, seconds: float, kills: int = 0) -> Sequence[float]:
    """How long each commit took, once all had come."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, folder, str(number)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(writers)
        ]  # fmt: skip
        for process in processes:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()
        for _ in range(kills):
            time.sleep(seconds / (kills + 1))
            if (holder := address.read(Path(folder))) is not None:
                os.kill(holder.pid, signal.SIGKILL)
        told = [[float(word) for word in process.communicate()[0].split()] for process in processes]
    return [wait for waits in told for wait in waits]
