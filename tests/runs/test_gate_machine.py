"""Whatever is proposed, edited, approved, allowed, revoked, expired, changed, killed, resumed or forked: nothing runs
without somebody's word that still holds.

The oracle is written from the documents and knows nothing of `policy.decide`: it keeps what people have said here, and
looks at every effect in the moment in which it happens.
"""

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.support.calls import call
from tests.support.people import listed, passphrase
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core import people
from assent.core.agent import Agent
from assent.core.clock import CLOCK
from assent.core.commands import Decide, ForkRun, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.errors import AssentError
from assent.core.events import Kind
from assent.core.grant import Grant
from assent.core.messages import Text, ToolCall, assistant
from assent.core.model import Answer, Delta, Request, Usage
from assent.policy import facts
from assent.policy.facts import Call, Facts
from assent.runs import answer, expiry, lasting, propose, step
from assent.runs.expiry import is_over
from assent.runs.lasting import Register
from assent.runs.state import CallState, State
from assent.store import database
from assent.tools.idempotency import idempotency_key
from assent.tools.tool import Tool, tool

PRIVILEGES = {"note": "execute_safe", "pay": "execute_risky", "root": "admin", "duo": "super_admin"}
FREE, LASTING, NEEDED = {"note"}, {"note", "pay"}, {"duo": 2}  # as docs/security.md says it
EXPIRES = 3600.0
USERS, PEOPLE = ("ana", "ben"), ("ada", "eve")
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(sorted(PRIVILEGES)), st.integers(0, 2)), min_size=1, max_size=3),
    min_size=1, max_size=3,
)  # fmt: skip


@dataclass
class Word:
    """What somebody said: of which act or tool, under which rules; a grant reaches a run or a session."""

    who: str
    call: str
    tool: str
    number: int
    rules: Any
    reach: str = ""
    user: str = ""
    until: float = float("inf")
    over: bool = False


@dataclass
class Oracle:
    """What people have said, and what has been done; `amiss` tells of every effect that nobody's word carries."""

    now: float = 0.0
    words: list[Word] = field(default_factory=list)
    done: list[tuple[str, str, int]] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)
    asked: dict[str, float] = field(default_factory=dict)  # when each question was put

    def sees(self, call_id: str, name: str, number: int, rules: Any, session: int, user: str) -> None:
        """An effect happens."""
        before = sum(done[0] == call_id for done in self.done)
        self.done.append((call_id, name, number))
        if not self.carried(call_id, name, number, rules, session, user, before):
            self.amiss.append(f"{call_id} did {name}({number}) under {rules}, {before} times done before")

    def carried(self, call_id: str, name: str, number: int, rules: Any, session: int, user: str, before: int) -> bool:
        modes = dict(rules[0])
        if modes.get(name) == "disabled":
            return False
        if before == 0 and name in FREE and name not in modes:
            return True
        run = call_id.partition(".")[0]
        for word in self.words:
            here = word.reach in (f"run {run}", f"session {session}") and word.user == user
            lives = not word.over and self.now < word.until and word.rules == rules
            if before == 0 and here and lives and word.tool == name and name in LASTING:
                return True
        said = [word for word in self.words if not word.reach and not word.over and word.call == call_id]
        fits = [word for word in said if (word.tool, word.number, word.rules) == (name, number, rules)]
        if len({word.who for word in fits}) < NEEDED.get(name, 1):
            return False
        for word in said:
            word.over = True  # good once
        return True


class Script:
    """Proposes the batches that the prompt lists, one a turn, then answers."""

    name = "scripted:gate"

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        batches = json.loads(next(message.text for message in request.messages if message.role == "user"))
        turn = sum(message.role == "assistant" for message in request.messages)
        said: list[ToolCall | Text] = [call(name, number=n) for name, n in batches[turn]] if turn < len(batches) else []
        yield Answer(assistant(*(said or [Text("done")])), Usage(input=1, output=1), "calls" if said else "stop")


class Gate(RuleBasedStateMachine):
    """A workspace and its users; each rule is something that people, the rules' owner or fate do."""

    @initialize()
    def begin(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="assent-gate-"))
        self.oracle, self.wall = Oracle(now=CLOCK.now()), CLOCK.now()
        self.lives = self.sessions = self.tools = 0
        self.user, self.modes = USERS[0], dict[str, str]()
        self.runs: dict[str, str] = {}  # whose
        self.terms: dict[str, Any] = {}  # the rules that a run is at work with
        self.strike: tuple[int, str] | None = None
        self.copied: Path | None = None
        self.patches = contextlib.ExitStack()
        self.patches.enter_context(mock.patch.dict(os.environ, {"ASSENT_PEOPLE": str(listed())}))
        self.patches.enter_context(mock.patch.object(CLOCK, "now", side_effect=lambda: self.oracle.now))
        self.patches.enter_context(mock.patch.object(expiry, "time", SimpleNamespace(time=lambda: self.wall)))
        self.open(prepare(self.base / "0"))

    def teardown(self) -> None:
        if not hasattr(self, "base"):
            return
        try:
            self.session.close()
        finally:
            self.patches.close()
            shutil.rmtree(self.base)

    # What people and fate do

    @rule(batches=BATCHES, strike=st.none() | st.tuples(st.integers(0, 2), st.sampled_from(["kill", "cancel"])))
    def start(self, batches: Any, strike: tuple[int, str] | None) -> None:
        self.go(StartRun(json.dumps(batches), self.agent), strike)

    @rule(which=st.integers(0, 9), strike=st.none() | st.tuples(st.integers(0, 2), st.sampled_from(["kill", "cancel"])))
    def resume(self, which: int, strike: tuple[int, str] | None) -> None:
        if run := self.run(which):
            self.go(ResumeRun(run), strike)

    @rule(which=st.integers(0, 9), at=st.integers(0, 2))
    def fork(self, which: int, at: int) -> None:
        if run := self.run(which):
            self.go(ForkRun(run, at), None)

    @rule(which=st.integers(0, 9), by=st.sampled_from(PEOPLE), honest=st.booleans(), edit=st.none() | st.integers(0, 2))
    def approve(self, which: int, by: str, honest: bool, edit: int | None) -> None:
        self.say(which, by, "once", passphrase(by) if honest else "a guess", edit)

    @rule(which=st.integers(0, 9))
    def approve_by_name_alone(self, which: int) -> None:
        self.say(which, "ada", "once", "", None)

    @rule(which=st.integers(0, 9), scope=st.sampled_from(["run", "session"]))
    def allow(self, which: int, scope: str) -> None:
        self.say(which, "ada", scope, "", None)

    @rule(which=st.integers(0, 9))
    def reject(self, which: int) -> None:
        if asked := self.question(which):
            with contextlib.suppress(AssentError):
                self.session.decide(Decide(asked.id, "reject"))

    @rule(which=st.integers(0, 9))
    def revoke(self, which: int) -> None:
        held = [word for word in self.oracle.words if word.reach and not word.over and word.user == self.user]
        if held:
            word = held[which % len(held)]
            with contextlib.suppress(AssentError):  # it has ended otherwise: with its session, or in another life
                self.session.revoke(word.call)
            for other in held:
                other.over = other.over or other.call == word.call

    @rule(hours=st.sampled_from([0.5, 1.0, 13.0]), back=st.sampled_from([0.0, 0.0, 20.0]))
    def time_passes(self, hours: float, back: float) -> None:
        """The machine's clock may be put back meanwhile; what time it is it does not change."""
        self.oracle.now += hours * 3600
        self.wall += (hours - back) * 3600

    @rule(name=st.sampled_from(sorted(PRIVILEGES)), mode=st.sampled_from(["ask", "disabled", ""]))
    def change_the_rules(self, name: str, mode: str) -> None:
        self.modes = {
            **{key: value for key, value in self.modes.items() if key != name},
            **({name: mode} if mode else {}),
        }
        self.session.config = self.config

    @rule()
    def another_tool_takes_the_name(self) -> None:
        self.tools += 1
        for one in self.made():
            self.session.add_tool(one)

    @rule(user=st.sampled_from(USERS))
    def leave_and_come_back(self, user: str) -> None:
        self.user = user
        self.session.close()
        self.open(self.folder)

    # What has to hold

    @invariant()
    def nothing_was_done_without_a_word_that_holds(self) -> None:
        assert not hasattr(self, "oracle") or self.oracle.amiss == []

    # How it is done

    @property
    def folder(self) -> Path:
        return self.base / str(self.lives)

    @property
    def config(self) -> Config:
        return Config(policy=self.modes)

    @property
    def agent(self) -> Agent:
        return Agent(name="gated", tools=tuple(PRIVILEGES))

    def in_force(self) -> Any:
        return tuple(sorted(self.modes.items())), self.tools % 2

    def open(self, folder: Path) -> None:
        os.environ["ASSENT_USER"] = self.user
        (folder / "policy.toml").write_text('[ask]\nexpires = "60m"\n')
        self.sessions += 1
        self.session = Session(folder, config=self.config, models=[Script()])
        for one in self.made():
            self.session.add_tool(one)

    def made(self) -> list[Tool[Any, Any]]:
        def effect(name: str) -> Callable[..., Any]:
            async def first(number: int) -> str:
                await self.acts(name, number)
                return "did"

            async def second(number: int) -> str:
                """Another one."""
                await self.acts(name, number)
                return "did it differently"

            return second if self.tools % 2 else first

        return [tool(effect(name), privilege=level, name=name) for name, level in PRIVILEGES.items()]  # type: ignore[call-overload]  # the level is one

    async def acts(self, name: str, number: int) -> None:
        key = idempotency_key()
        run = key.partition(".")[0]
        self.oracle.sees(key, name, number, self.terms[run], self.sessions, self.user)
        if self.strike is not None:
            left, how = self.strike
            self.strike = (left - 1, how) if left else None
            if not left and how == "kill":
                self.copy()
            elif not left:
                raise KeyboardInterrupt
        await asyncio.sleep(0)

    def copy(self) -> None:
        self.copied = self.base / str(self.lives + 1)
        self.copied.mkdir()
        self.gone = list(self.oracle.done), [replace(word) for word in self.oracle.words]
        for path in [*self.folder.glob(f"{database.FILE}*")]:
            shutil.copy(path, self.copied)

    def go(self, command: Any, strike: tuple[int, str] | None) -> None:
        self.strike, self.copied = strike, None
        rules = self.in_force()

        class Terms(dict[str, Any]):
            def __missing__(self, run: str) -> Any:
                return rules

        self.terms = Terms()
        with contextlib.suppress(AssentError, asyncio.CancelledError):
            asyncio.run(self.session.drain(command))
        if self.copied is not None:  # what was done from then on is of a world that is gone
            self.session.close()
            self.lives += 1
            self.oracle.done, self.oracle.words = self.gone
            self.open(self.copied)
        for run, user in self.session.journal.select('SELECT run, "user" FROM runs'):
            self.runs[run] = user
            self.noted(self.session.state(run))

    def noted(self, state: State) -> None:
        """When each question was put, by the time that it is."""
        for item in state.waiting:
            if not is_over(item) and item.until is not None:
                self.oracle.asked[item.id] = item.until - EXPIRES

    def run(self, which: int) -> str:
        runs = sorted(run for run, user in self.runs.items() if user == self.user)
        return runs[which % len(runs)] if runs else ""

    def question(self, which: int) -> CallState | None:
        """One that waits, also of those whose time is over: somebody may have an old card before them."""
        found = []
        for run in sorted(run for run, user in self.runs.items() if user == self.user):
            with contextlib.suppress(AssentError):
                found += self.session.state(run).waiting
        return found[which % len(found)] if found else None

    def say(self, which: int, by: str, scope: Any, secret: str, edit: int | None) -> None:
        asked = self.question(which)
        if asked is None:
            return
        number = asked.arguments["number"]
        arguments = None if edit is None or asked.unknown else {"number": edit}
        try:
            self.session.decide(Decide(asked.id, "approve", by, arguments=arguments, scope=scope, passphrase=secret))
        except AssentError:
            return
        if self.oracle.now >= self.oracle.asked.get(asked.id, 0.0) + EXPIRES or secret == "a guess":
            return  # it was taken, and is no word that holds
        if asked.tool in NEEDED and not secret:
            return
        final = number if arguments is None else arguments["number"]
        if final != number:
            for word in self.oracle.words:
                word.over = word.over or (word.call == asked.id and not word.reach)
        rules = self.in_force()
        self.oracle.words.append(Word(by, asked.id, asked.tool, final, rules))
        if scope != "once":
            reach = f"run {asked.id.partition('.')[0]}" if scope == "run" else f"session {self.sessions}"
            until = self.oracle.now + 12 * 3600 if scope == "session" else float("inf")
            self.oracle.words.append(Word(by, asked.id, asked.tool, final, rules, reach, self.user, until))


RULES = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)


@pytest.mark.timeout(120)
def test_nothing_runs_without_a_word_that_holds() -> None:
    some = settings(
        RULES, max_examples=12, stateful_step_count=14, derandomize=True, database=None, phases=[Phase.generate]
    )
    run_state_machine_as_test(Gate, settings=some)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_runs_without_a_word_that_holds_in_many_histories() -> None:
    many = settings(RULES, max_examples=250, stateful_step_count=30, database=None, phases=[Phase.generate])
    run_state_machine_as_test(Gate, settings=many)


def always_permitted(run: str, call_id: str, call: Call, facts: Facts, approvals: Any = ()) -> Grant:
    return Grant(run, call_id, call.tool, call.arguments, facts.version)


def of_everybody(self: Register, scope: Any, session: str, policy_version: str) -> dict[str, Any]:
    return {item.tool: item for place in self._places.values() for item in place.values()}


DEFECTS: dict[str, tuple[Any, str, Any]] = {
    "no approval is needed": (step, "permit", always_permitted),
    "a grant reaches every run": (Register, "given", of_everybody),
    "a revocation is not heard": (lasting, "KINDS", frozenset({Kind.GRANT_GIVEN})),
    "a grant does not expire": (answer, "LASTS", 1e9),
    "a question does not expire": (expiry, "CLOCK", SimpleNamespace(now=lambda: 0.0)),
    "any passphrase proves": (people, "hmac", SimpleNamespace(compare_digest=lambda *_: True)),
    "rules that changed are the same": (facts, "digest", lambda value: "same" * 4),
    "what was cut off is simply repeated": (propose, "_cut_off", lambda run, call: []),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", DEFECTS)
def test_the_oracle_sees_a_defect(defect: str) -> None:
    many = settings(RULES, max_examples=200, stateful_step_count=25, derandomize=True, database=None)
    with mock.patch.object(*DEFECTS[defect]), pytest.raises(AssertionError, match="did "):
        run_state_machine_as_test(Gate, settings=settings(many, phases=[Phase.generate]))
