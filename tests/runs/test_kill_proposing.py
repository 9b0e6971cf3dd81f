"""kill -9 between a proposal and its act, and anywhere else: nothing proposed is lost, nothing is done twice."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runs.killable import BATCHES, LINES, lines
from tests.runs.test_kill import check_call, kill_until_finished
from tests.support.nursery import Nursery

from assent.core.events import Kind
from assent.core.ids import proposer
from assent.store.journal import Journal

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked"),
    pytest.mark.slow,
    pytest.mark.timeout(60),  # as in test_kill
]
KILLS = 20


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery("tests.runs.killable_proposing:carry_on") as running:
        yield running


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_twenty_random_moments(nursery: Nursery, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = runs = 0
    while kills < KILLS:
        folder = tmp_path / str(runs)
        folder.mkdir()
        kills += kill_until_finished(nursery, folder, chance)
        check(folder)
        runs += 1


def check(folder: Path) -> None:
    """Each effect once, by a call that a recorded one proposed; the proposer may have been run again."""
    assert sorted(map(int, lines(folder / "effects"))) == LINES
    journal = Journal(folder / "workspace")
    events = [event for (run,) in journal.select("SELECT run FROM runs") for event in journal.events(run)]
    journal.close()
    assert events[-1].kind is Kind.RUN_FINISHED
    assert set(lines(folder / "acknowledged")) <= {event.hash for event in events}
    made = [event for event in events if event.body.get("proposals")]
    assert len(made) == len(BATCHES)
    wanted = [event for event in events if event.kind is Kind.CALL_DECIDED and event.tool == "note"]
    assert {event.body["proposed_by"] for event in wanted} == {event.call for event in made}
    for call in {event.call for event in wanted if event.call}:
        assert proposer(call)
        check_call([event for event in events if event.call == call])
