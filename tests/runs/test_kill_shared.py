"""kill -9 at random moments among processes on one workspace, and of its owner: what one is promised holds for all."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.runs.killable import lines
from tests.runs.killable_shared import LINES, effects_of
from tests.runs.test_kill import check_call
from tests.support.nursery import Nursery

from assent.core.events import Kind
from assent.store.journal import Journal
from assent.store.sharing import address

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="children are forked, the owner is looked up"),
    pytest.mark.slow,
    pytest.mark.timeout(120),
]
NAMES = ("ann", "ben", "cleo")


def test_three_that_share_a_workspace_are_killed_and_their_owner_with_them(tmp_path: Path) -> None:
    seed = int(os.environ.get("ASSENT_TEST_SEED", "0"))  # for whoever has time for more than these
    ended = threading.Event()
    with ThreadPoolExecutor(len(NAMES) + 1) as pool:
        owners = pool.submit(kill_owners, tmp_path / "workspace", random.Random(seed), ended.is_set)
        lives = [pool.submit(live, tmp_path, name, random.Random(f"{name} {seed}")) for name in NAMES]
        try:
            kills = sum(one.result() for one in lives)
        finally:
            ended.set()
    check(tmp_path)
    assert kills > 0
    assert owners.result() > 0


def live(folder: Path, name: str, chance: random.Random) -> int:
    """Carry one run to its end through as many deaths as it takes; how many those were."""
    with Nursery("tests.runs.killable_shared:carry_on") as nursery:
        for kills in range(60):
            # The moment is the point here and no event could name it.
            ended = nursery.kill_after(chance.uniform(0.05, 0.6 + 0.06 * kills), str(folder), name)
            if ended == 0:
                return kills
            assert ended == -signal.SIGKILL
    raise AssertionError(f"the run of {name} came to no end")


def kill_owners(workspace: Path, chance: random.Random, ended: Callable[[], bool]) -> int:
    """Kill whoever holds the workspace for the others, again and again; how many those were."""
    kills = 0
    while not ended():
        time.sleep(chance.uniform(0.05, 1 + 0.1 * kills))
        while not (killed := kill_owner(workspace)) and not ended():
            time.sleep(0.02)  # there is none while one process has the workspace to itself
        kills += killed
    return kills


def kill_owner(workspace: Path) -> bool:
    holder = address.read(workspace)
    try:
        said = Path(f"/proc/{holder.pid}/cmdline").read_bytes().split(b"\0") if holder else []
        if holder and os.fsencode(workspace) in said:  # an owner, and of this workspace
            os.kill(holder.pid, signal.SIGKILL)
            return True
    except (FileNotFoundError, ProcessLookupError):
        pass
    return False


def check(folder: Path) -> None:
    """Compare what is recorded, what was acknowledged and what was done."""
    for name in NAMES:
        assert sorted(map(int, lines(effects_of(folder, name)))) == LINES  # each effect once, none missing
    journal = Journal(folder / "workspace")
    runs = {run: journal.events(run) for (run,) in journal.select("SELECT run FROM runs")}
    events = [event for told in runs.values() for event in told]
    assert journal.verify() == len(events)
    journal.close()
    assert sorted(told[0].agent or "" for told in runs.values()) == sorted(NAMES)
    assert all(told[-1].kind is Kind.RUN_FINISHED for told in runs.values())
    assert set(lines(folder / "acknowledged")) <= {event.hash for event in events}
    asked = {event.call for event in events if event.kind is Kind.CALL_DECIDED and event.body.get("unknown")}
    assert asked <= set(lines(folder / "asked"))
    for call in {event.call for event in events if event.call}:
        check_call([event for event in events if event.call == call])
