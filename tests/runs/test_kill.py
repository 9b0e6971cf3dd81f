"""kill -9 at random moments: nothing acknowledged is lost, no effect happens twice, what is unknown is asked about."""

import os
import random
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.runs.killable import LINES, lines
from tests.support.nursery import Nursery

from assent.core.events import Event, Kind
from assent.store.journal import Journal

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked"),
    pytest.mark.slow,
    # Each kill costs a process, a workspace opened and some steps: on a busy machine more than a unit test may take.
    pytest.mark.timeout(60),
]
KILLS = 20  # times the five seeds below: a hundred


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery("tests.runs.killable:carry_on") as running:
        yield running


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_twenty_random_moments(nursery: Nursery, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = runs = asked = 0
    while kills < KILLS:
        folder = tmp_path / str(runs)
        folder.mkdir()
        kills += kill_until_finished(nursery, folder, chance)
        asked += check(folder)
        runs += 1
    assert runs > 1
    assert asked > 0  # otherwise no kill has hit a call, and nothing was shown


def kill_until_finished(nursery: Nursery, folder: Path, chance: random.Random) -> int:
    """Carry one run to its end through as many deaths as it takes; how many those were."""
    for kills in range(100):
        # The moment is the point here and no event could name it: from before the workspace is open to the last commit.
        # On a busy machine that takes longer than one life: the later ones are longer.
        ended = nursery.kill_after(chance.uniform(0.01, 0.3 + 0.03 * kills), str(folder))
        if ended == 0:
            return kills
        assert ended == -signal.SIGKILL
    raise AssertionError("the run came to no end")


def check(folder: Path) -> int:
    """Compare what is recorded, what was acknowledged and what was done; how many outcomes were unknown."""
    assert sorted(map(int, lines(folder / "effects"))) == LINES  # each effect once, none missing
    journal = Journal(folder / "workspace")
    events = [event for (run,) in journal.select("SELECT run FROM runs") for event in journal.events(run)]
    assert journal.verify() == len(events)
    journal.close()
    assert events[-1].kind is Kind.RUN_FINISHED
    assert set(lines(folder / "acknowledged")) <= {event.hash for event in events}
    asked = [event.call for event in events if event.kind is Kind.CALL_DECIDED and event.body.get("unknown")]
    assert set(lines(folder / "asked")) == set(asked)
    for call in {event.call for event in events if event.call}:
        check_call([event for event in events if event.call == call])
    return len(asked)


def check_call(events: list[Event]) -> None:
    """After a call has begun comes its end, or the question how it ended; never another beginning."""
    for event, later in pairwise(events):
        if event.kind is Kind.CALL_STARTED:
            assert later.kind is Kind.CALL_FINISHED or later.body.get("unknown"), later
        if later.kind is Kind.CALL_STARTED:
            allowed = event.kind is Kind.CALL_DECIDED and event.decision == "allow"
            assert allowed or (event.kind is Kind.APPROVAL_DECIDED and event.decision == "approve"), event
    assert events[-1].kind is Kind.CALL_FINISHED
    assert [event.kind for event in events].count(Kind.CALL_FINISHED) == 1
