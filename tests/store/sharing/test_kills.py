"""Four processes write to one workspace, and every moment one of them is killed, the owner too."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assent.store.journal import Journal
from assent.store.sharing import address

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

SECONDS = 12.0
QUOTA = 50
WRITER = """
import sys, time
from pathlib import Path
from assent.core.errors import Conflict
from assent.core.events import Event, Kind
from assent.store.journal import Journal
from assent.store.parcel import Guard
folder, name, until = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
journal, number, spent = Journal(folder / "workspace"), 0, 0
room = Guard("SELECT count(*) < ? FROM events WHERE kind = 'model_answered'", (int(sys.argv[4]),))
with (folder / f"{name}.told").open("w", buffering=1) as told:
    while time.time() < until:
        began = time.monotonic()
        journal.append([Event(kind=Kind.MODEL_FAILED, run=name, body={"number": number})]).result(30)
        told.write(f"{number} {time.monotonic() - began:.3f}\\n")
        number += 1
        try:
            journal.append([Event(kind=Kind.MODEL_ANSWERED, run=name)], room).result(30)
        except Conflict:
            pass
journal.close()
"""


def test_all_that_was_acknowledged_is_there_once_and_the_quota_is_exact(tmp_path: Path) -> None:
    chance, until, names = random.Random(0), time.time() + SECONDS, iter(range(1_000))
    workspace = tmp_path / "workspace"

    def start() -> "subprocess.Popen[bytes]":
        words = [str(tmp_path), str(next(names)), str(until), str(QUOTA)]
        return subprocess.Popen([sys.executable, "-c", WRITER, *words])

    writers, owners = [start() for _ in range(4)], 0
    while time.time() < until - 1:
        time.sleep(chance.uniform(1, 2))  # the moment is the point, and no event could name it
        if chance.random() < 0.5:
            victim = chance.randrange(4)
            writers[victim].kill()
            writers[victim].wait()
            writers[victim] = start()
        elif (holder := address.read(workspace)) is not None and holder.pid not in [item.pid for item in writers]:
            os.kill(holder.pid, signal.SIGKILL)
            owners += 1
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    assert owners > 1
    check(workspace, tmp_path)


def check(workspace: Path, folder: Path) -> None:
    journal = Journal(workspace)
    kept: dict[str, list[int]] = {}
    rows = journal.select("SELECT run, body FROM events WHERE kind = 'model_failed' ORDER BY seq")
    for run, body in rows:
        kept.setdefault(run, []).append(json.loads(body)["number"])
    told = {path.stem: path.read_text().splitlines() for path in folder.glob("*.told")}
    for run, lines in told.items():
        acknowledged = [int(line.split()[0]) for line in lines]
        assert kept.get(run, [])[: len(acknowledged)] == acknowledged  # each once, in order
        assert len(kept.get(run, [])) <= len(acknowledged) + 1
    assert sum(map(len, told.values())) > QUOTA
    assert journal.select("SELECT count(*) FROM events WHERE kind = 'model_answered'") == [(QUOTA,)]
    assert journal.verify() == len(rows) + QUOTA
    journal.close()
