"""Runs that are begun, answered, stopped, forked, killed and resumed in any order: the journal knows what was done."""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from tests.runs.mortal import AGENT, Batch, Mortal

from assent.core.commands import Decide, ForkRun, ResumeRun, StartRun
from assent.core.events import Event, Kind

CALLED = st.sampled_from(("note", "mail", "put", "note", "look"))  # what acts without being asked about is cut off most
BATCHES = st.lists(st.lists(CALLED, min_size=1, max_size=3), min_size=1, max_size=3)
MOMENTS = st.integers(-2, 12).map(lambda at: None if at < 0 else at)
HAPPENINGS = st.sampled_from(["kill", "cancel", "kill", "pause"])


@dataclass
class Known:
    """What is known of a run without its journal.

    `said` is the last word of a person on each call, `yes` how often one was to be run. `cut` are the calls of which
    nobody knows how they ended.
    """

    batches: list[Batch]
    shared: int = 0  # steps that a fork shares
    said: dict[int, str] = field(default_factory=dict)
    yes: Counter[int] = field(default_factory=Counter)
    lines: dict[int, int] = field(default_factory=dict)  # the arguments that a person has changed
    settled: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    cut: set[int] = field(default_factory=set)
    status: str = "running"

    def numbered(self) -> list[list[tuple[int, str]]]:
        """The calls of each batch: number and tool."""
        numbers = iter(range(1, 1 + sum(map(len, self.batches))))
        return [[(next(numbers), name) for name in batch] for batch in self.batches]

    def asks(self, number: int, name: str) -> bool:
        """Whether a person has to speak before the call goes on."""
        if number in self.settled or number in self.said:
            return False
        return name == "mail" or number in self.cut

    def ahead(self) -> tuple[set[int], list[int]]:
        """What an undisturbed run comes to: the questions that it is suspended over, the calls settled until then."""
        settled: list[int] = []
        for batch in self.numbered():
            if waiting := {number for number, name in batch if self.asks(number, name)}:
                return waiting, settled
            settled += [number for number, _ in batch]
        return set(), settled

    def past(self, step: int) -> bool:
        """Whether all calls of the steps up to this one are settled."""
        batches = self.numbered()[:step]
        return len(batches) == step and all(number in self.settled for batch in batches for number, _ in batch)

    def line(self, number: int) -> int:
        """The argument that a call has to act with."""
        step = next(at for at, batch in enumerate(self.numbered()) if number in dict(batch))
        return self.lines.get(number, step)

    def learn(self, events: Sequence[Event]) -> None:
        """Take from the journal what only it can tell: how far the run came before something happened to it."""
        last = {call_number(event.call): event for event in events if event.call}
        names = {number: name for batch in self.numbered() for number, name in batch}
        settled = {number for number, event in last.items() if event.kind is Kind.CALL_FINISHED}
        assert self.settled <= settled, "a result that was known is lost"
        self.settled, self.waiting = settled, set()
        for number, event in last.items():
            began = event.kind is Kind.CALL_STARTED and names[number] in ("note", "mail")
            asked = event.kind is Kind.CALL_DECIDED and event.decision == "ask"
            if began or (asked and event.body.get("unknown")):
                self.cut.add(number)
                self.said.pop(number, None)
            if asked:
                self.waiting.add(number)
                assert number not in self.said, "an answer that was given is lost"

    def agrees(self, number: int, name: str, done: int) -> None:
        """Hold how often a call has acted against what is known of it."""
        step = next(at for at, batch in enumerate(self.numbered()) if number in dict(batch))
        if name == "look" or step < self.shared:
            assert done == 0, "an effect of a shared step was repeated"
        elif name != "put":
            assert done <= self.yes[number] + (name == "note"), "an effect was repeated without a person's word"
            assert not done or number in self.settled | self.cut, "an effect of which the journal knows nothing"
        if number in self.settled and name != "look" and step >= self.shared:
            assert done or self.said.get(number) in ("reject", "happened"), "a result without the effect"


def call_number(call: str | None) -> int:
    return int((call or "").rpartition(".")[2])


class Runs(RuleBasedStateMachine):
    """Does what people and fate do, and holds what the journal then says against what is known."""

    names = Bundle("names")

    @initialize(target=names, batches=BATCHES, moment=st.integers(2, 7))
    def begin(self, batches: list[Batch], moment: int) -> str:
        """Begin with a run that is killed in or about its first call."""
        self.base = Path(tempfile.mkdtemp(prefix="assent-machine-"))
        self.world = Mortal(self.base)
        self.known: dict[str, Known] = {}
        return self.start([["note"], *batches], moment, "kill")

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            for run in self.known:
                self.bring_to_an_end(run)
            self.what_was_done_is_known()
        finally:
            self.world.session.close()
            shutil.rmtree(self.base)

    # Rules

    @rule(target=names, batches=BATCHES, moment=MOMENTS, happening=HAPPENINGS)
    def start_another(self, batches: list[Batch], moment: int | None, happening: str) -> str:
        return self.start(batches, moment, happening)

    @rule(run=names, moment=MOMENTS, happening=HAPPENINGS)
    def resume(self, run: str, moment: int | None, happening: str) -> None:
        if run in self.known and self.known[run].status != "finished":
            self.go(ResumeRun(run), self.known[run], moment, happening)

    @rule(target=names, run=names, moment=MOMENTS, happening=HAPPENINGS, at=st.integers(1, 3))
    def fork(self, run: str, moment: int | None, happening: str, at: int) -> str:
        known = self.known.get(run)
        if known is None or not known.past(at):
            return run
        settled = {number for batch in known.numbered()[:at] for number, _ in batch}
        return self.go(ForkRun(run, at), Known(known.batches, shared=at, settled=settled), moment, happening)

    @rule(run=names, verdict=st.sampled_from(["approve", "reject", "edit", "happened"]), which=st.integers(0, 2))
    def decide(self, run: str, verdict: str, which: int) -> None:
        known = self.known.get(run)
        if known is None or not known.waiting or known.status == "cancelled":
            return
        number = sorted(known.waiting)[which % len(known.waiting)]
        if (verdict == "happened") != (number in known.cut):
            verdict = "approve"
        self.answer(run, number, verdict)

    @rule(run=names, then=st.sampled_from(["cancel", "pause"]))
    def stop(self, run: str, then: str) -> None:
        known = self.known.get(run)
        if known is None or known.status != "suspended":
            return
        session = self.world.session
        known.status = session.cancel(run) if then == "cancel" else session.pause(run)
        assert known.status == ("cancelled" if then == "cancel" else "paused")

    @rule()
    def kill(self) -> None:
        self.world.die()

    @rule()
    def leave_and_come_back(self) -> None:
        self.world.session.close()
        self.world.open()

    # What has to hold

    @invariant()
    def what_was_done_is_known(self) -> None:
        done: Counter[tuple[str, int]] = Counter()
        for effect in self.world.effects:
            run, _, number = effect.call.rpartition(".")
            assert run in self.known, f"{effect} of a run that was never recorded"
            assert effect.line == self.known[run].line(int(number))
            done[run, int(number)] += 1
        for run, known in self.known.items():
            for number, name in [call for batch in known.numbered() for call in batch]:
                known.agrees(number, name, done[run, number])

    @invariant()
    def the_journal_says_where_each_run_stands(self) -> None:
        session = self.world.session
        for run, known in self.known.items():
            state = session.state(run)
            assert state.status == known.status
            waiting = {call_number(item.call) for item in session.pending(run)}
            assert waiting == (set() if known.status == "cancelled" else known.waiting)
            assert {call_number(call.id) for call in state.batch.values() if call.result} <= known.settled

    @invariant()
    def nothing_that_was_acknowledged_is_lost(self) -> None:
        journal = self.world.session.journal
        [(count,)] = journal.select("SELECT count(*) FROM events")
        assert journal.verify() == count
        kept = {name for (name,) in journal.select("SELECT hash FROM events")}
        assert kept >= set(self.world.acknowledged)

    # How it is done

    def start(self, batches: list[Batch], moment: int | None, happening: str) -> str:
        return self.go(StartRun(json.dumps(batches), AGENT), Known(batches), moment, happening)

    def go(self, command: Any, known: Known, moment: int | None, happening: str) -> str:
        """Let a run go on until it ends, or until something happens to it at a moment of its way."""
        world = self.world
        world.begin(moment, happening)
        result = asyncio.run(world.session.drain(command))
        struck = world.end()
        if happening == "kill" and moment is not None:
            world.die()
        if not world.session.journal.events(result.run):
            assert struck
            assert not isinstance(command, ResumeRun)
            return result.run  # killed before anything of it was on disk
        self.known[result.run] = known
        if not struck:
            known.waiting, settled = known.ahead()
            known.settled |= set(settled)
            known.status = "suspended" if known.waiting else "finished"
        known.learn(world.session.events(result.run))
        allowed = {"kill": "suspended", "cancel": "cancelled", "pause": "paused"}[happening] if struck else known.status
        status = world.session.state(result.run).status
        assert (
            status in {allowed, "finished", *(["suspended"] if known.waiting else [])} if struck else status == allowed
        )
        known.status = status
        return result.run

    def answer(self, run: str, number: int, verdict: str) -> None:
        known, call = self.known[run], f"{run}.{number}"
        said: Any = verdict if verdict in ("approve", "reject") else "approve"
        edited = {"line": 100 + number} if verdict == "edit" else None
        outcome = "It is there." if verdict == "happened" else None
        self.world.session.decide(Decide(call, said, arguments=edited, outcome=outcome))
        known.waiting.discard(number)
        known.said[number] = verdict
        known.yes[number] += verdict in ("approve", "edit")
        if edited:
            known.lines[number] = edited["line"]

    def bring_to_an_end(self, run: str) -> None:
        """A run is never stuck: whoever answers what it asks, and resumes it, brings it to its answer."""
        known = self.known[run]
        for _ in range(10):
            if known.status == "finished":
                return
            for number in sorted(known.waiting) if known.status != "cancelled" else ():
                there = any(effect.call == f"{run}.{number}" for effect in self.world.effects)
                self.answer(run, number, "happened" if there and number in known.cut else "approve")
            self.go(ResumeRun(run), known, None, "kill")
        raise AssertionError(f"the run {run} came to no end")


# What fate does comes at its own time, so a failure need not come again: the first one is told, and not made smaller.
FATE = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False)


@pytest.mark.timeout(60)  # a second or two of work for each; on a busy machine more than the others may take
class TestRuns(Runs.TestCase):  # type: ignore[misc, name-defined]  # made when the class is
    settings = settings(FATE, max_examples=7, stateful_step_count=6, derandomize=True, database=None)


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestManyRuns(Runs.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(FATE, max_examples=40, stateful_step_count=12, database=None)
