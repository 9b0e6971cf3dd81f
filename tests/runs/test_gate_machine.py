"""Whatever is proposed, edited, approved, allowed, revoked, expired, changed, killed, resumed or forked: nothing runs
without somebody's word that still holds.

The oracle is written from the documents and knows nothing of `policy.decide`: it keeps what people have said here, and
looks at every effect in the moment in which it happens.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from tests.support.calls import call
from tests.support.people import passphrase
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core import people
from assent.core.agent import Agent
from assent.core.clock import CLOCK
from assent.core.commands import Decide, ForkRun, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.errors import AssentError
from assent.core.events import Kind
from assent.core.ids import run_of
from assent.core.messages import Text, ToolCall, assistant
from assent.core.model import Answer, Delta, Request, Usage
from assent.policy import facts, modes
from assent.runs import answer, expiry, lasting, propose
from assent.runs.call_state import CallState
from assent.runs.expiry import is_over
from assent.runs.lasting import Lasting, Register
from assent.runs.state import State
from assent.store import database
from assent.store.parcel import Guard
from assent.tools.idempotency import idempotency_key
from assent.tools.tool import Tool, tool

PRIVILEGES = {"note": "execute_safe", "pay": "execute_risky", "root": "admin", "duo": "super_admin"}
FREE, LASTING, NEEDED = {"note"}, {"note", "pay"}, {"duo": 2}  # as docs/security.md says it
EXPIRES = 3600.0
USERS, PEOPLE = ("ana", "ben"), ("ada", "eve")


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


class Gate:
    """A workspace and its users; each method of `ACTS` is something that people, the rules' owner or fate do.

    By chance, but the same chance for the same seed.
    """

    def __init__(self, base: Path, chance: random.Random) -> None:
        self.base, self.chance = base, chance
        self.oracle, self.wall = Oracle(now=time.time()), time.time()
        self.lives = self.sessions = self.tools = 0
        self.user, self.modes = USERS[0], dict[str, str]()
        self.runs: dict[str, str] = {}  # whose
        self.terms: Any = None  # the rules that the run is at work with
        self.strike: tuple[int, str] | None = None
        self.copied: Path | None = None
        self.open(prepare(self.base / "0"))

    def goes_on(self, acts: int) -> None:
        """So many things happen; AssertionError as soon as something was done without a word that holds."""
        story: list[str] = []
        for _ in range(acts):
            [act] = self.chance.choices(list(ACTS), list(ACTS.values()))
            story.append(act.__name__)
            act(self)
            assert not self.oracle.amiss, f"{self.oracle.amiss}, after {', '.join(story)}"

    # What people and fate do

    def start(self) -> None:
        batches = [[self.proposed() for _ in range(self.chance.choice([1, 1, 2, 3]))] for _ in range(3)]
        self.go(StartRun(json.dumps(batches), self.agent))

    def resume(self) -> None:
        if run := self.run():
            self.go(ResumeRun(run))

    def fork(self) -> None:
        if run := self.run():
            self.go(ForkRun(run, self.chance.randint(0, 2)))

    def approve(self) -> None:
        by = self.chance.choice(PEOPLE)
        self.say(by, "once", passphrase(by), self.chance.choice([None, None, 0, 1, 2]))

    def approve_with_a_guess(self) -> None:
        self.say(self.chance.choice(PEOPLE), "once", "a guess")

    def approve_by_name_alone(self) -> None:
        self.say(self.chance.choice(PEOPLE), "once", "")

    def allow_for_the_run(self) -> None:
        self.say("ada", "run", "")

    def allow_for_the_session(self) -> None:
        self.say("ada", "session", "")

    def answer_all_of_a_run(self) -> None:
        """As a person does who wants it to go on: most by a yes that counts, then it is resumed."""
        run = self.run()
        for asked in self.session.state(run).waiting if run else ():
            scope = self.chance.choice(["once", "run", "session"]) if asked.grantable else "once"
            for by in PEOPLE if self.chance.random() < 0.8 else PEOPLE[:1]:
                self.say(by, scope, passphrase(by), self.chance.choice([None, None, None, 2]), asked)
        if run:
            self.go(ResumeRun(run))

    def reject(self) -> None:
        if asked := self.question():
            with contextlib.suppress(AssentError):
                self.session.decide(Decide(asked.id, "reject"))

    def revoke(self) -> None:
        held = [word for word in self.oracle.words if word.reach and not word.over and word.user == self.user]
        if held:
            word = self.chance.choice(held)
            with contextlib.suppress(AssentError):  # it has ended otherwise: with its session, or in another life
                self.session.revoke(word.call)
            for other in held:
                other.over = other.over or other.call == word.call

    def let_time_pass(self) -> None:
        """The machine's clock may be put back meanwhile; what time it is it does not change."""
        seconds = self.chance.choice([0.5, 1.0, 13.0]) * 3600
        self.oracle.now += seconds
        self.wall += seconds - self.chance.choice([0.0, 0.0, 20.0]) * 3600

    def change_the_rules(self) -> None:
        name = self.chance.choice(sorted(PRIVILEGES))
        others = {key: value for key, value in self.modes.items() if key != name}
        mode = self.chance.choice(["ask", "disabled", "", ""])
        self.modes = {**others, **({name: mode} if mode else {})}
        self.session.config = self.config

    def give_the_name_to_another_tool(self) -> None:
        self.tools += 1
        for one in self.made():
            self.session.add_tool(one)

    def leave_and_come_back(self) -> None:
        self.user = self.chance.choice(USERS)
        self.session.close()
        self.open(self.folder)

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
        self.session = Session(prepare(folder), config=self.config, models=[Script()])
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
        self.oracle.sees(key, name, number, self.terms, self.sessions, self.user)
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

    def go(self, command: Any) -> None:
        self.strike, self.copied, self.terms = None, None, self.in_force()
        if self.chance.random() < 0.4:
            self.strike = self.chance.randint(0, 2), self.chance.choice(["kill", "cancel"])
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

    def proposed(self) -> tuple[str, int]:
        return self.chance.choice(["note", "pay", "pay", "pay", "root", "duo"]), self.chance.randint(0, 2)

    def run(self) -> str:
        runs = [run for run, user in self.runs.items() if user == self.user]  # the latest last
        return self.chance.choice(runs[-3:]) if runs else ""

    def question(self) -> CallState | None:
        """One that waits, also of those whose time is over: somebody may have an old card before them."""
        runs = [run for run, user in self.runs.items() if user == self.user]  # the latest last
        found = [item for run in runs for item in self.session.state(run).waiting]
        return self.chance.choice(found[-4:]) if found else None

    def say(
        self, by: str, scope: Any, secret: str, edit: int | None = None, asked: CallState | None = None
    ) -> None:  # fmt: skip
        if asked is not None:  # as it is now: somebody may have edited it
            asked = self.session.state(run_of(asked.id)).batch.get(asked.id)
        if (asked := asked or self.question()) is None:
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
            until = self.oracle.now + 12 * 3600
            self.oracle.words.append(Word(by, asked.id, asked.tool, final, rules, reach, self.user, until))


# How likely each is.
ACTS: dict[Callable[[Gate], None], int] = {
    Gate.start: 5, Gate.answer_all_of_a_run: 12, Gate.resume: 4, Gate.fork: 1, Gate.approve: 8, Gate.reject: 1,
    Gate.approve_with_a_guess: 1, Gate.approve_by_name_alone: 4, Gate.allow_for_the_run: 3, Gate.revoke: 2,
    Gate.allow_for_the_session: 3, Gate.let_time_pass: 3, Gate.change_the_rules: 2, Gate.leave_and_come_back: 1,
    Gate.give_the_name_to_another_tool: 1,
}  # fmt: skip


def history(seed: int, acts: int) -> Gate:
    """What came of one history."""
    base = Path(tempfile.mkdtemp(prefix="assent-gate-"))
    try:
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch.dict(people._COST, {"n": 2}))  # guesses may be cheap here
            file = base / "people.json"
            for name in PEOPLE:
                people.enrol(name, passphrase(name), file=file)
            patches.enter_context(mock.patch.dict(os.environ, {"ASSENT_PEOPLE": str(file), "ASSENT_USER": USERS[0]}))
            gate = Gate(base, random.Random(seed))
            patches.callback(lambda: gate.session.close())
            patches.enter_context(mock.patch.object(CLOCK, "now", side_effect=lambda: gate.oracle.now))
            patches.enter_context(mock.patch.object(expiry, "time", SimpleNamespace(time=lambda: gate.wall)))
            gate.goes_on(acts)
            return gate
    finally:
        shutil.rmtree(base)


@pytest.mark.timeout(120)
def test_nothing_runs_without_a_word_that_holds() -> None:
    done = [len(history(seed, 40).oracle.done) for seed in range(3)]
    assert sum(done) > 10  # something did run


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_runs_without_a_word_that_holds_in_many_histories() -> None:
    for seed in range(1000, 1040):
        history(seed, 60)


def of_everybody(self: Register, scope: Any, session: str, policy_version: str) -> dict[str, Any]:
    return {item.tool: item for place in self._places.values() for item in place.values()}


Patch = tuple[Any, str, Any]
DEFECTS: dict[str, tuple[Patch, ...]] = {
    "what is risky runs on its own": ((modes, "AUTOMATIC", 2),),
    "one person is enough": ((modes, "TWO_APPROVERS", 9),),
    "any passphrase proves": ((people, "hmac", SimpleNamespace(compare_digest=lambda *_: True)),),
    "a grant reaches every run": ((Register, "given", of_everybody),),
    "a revocation is neither heard nor looked for": (
        (lasting, "KINDS", frozenset({Kind.GRANT_GIVEN})),
        (Lasting, "unrevoked", lambda _: Guard("SELECT true")),
    ),
    "a grant does not expire": ((answer, "LASTS", 1e9),),
    "a question does not expire": ((expiry, "CLOCK", SimpleNamespace(now=lambda: 0.0)),),
    "rules that changed are the same": ((facts, "digest", lambda _: "the same digest"),),
    "what was cut off is simply repeated": ((propose, "_cut_off", lambda *_: []),),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", DEFECTS)
def test_the_oracle_sees_a_defect(defect: str) -> None:
    def planted() -> None:
        for seed in range(60):
            history(seed, 60)

    with contextlib.ExitStack() as patches:
        for patch in DEFECTS[defect]:
            patches.enter_context(mock.patch.object(*patch))
        with pytest.raises(AssertionError, match=" did "):
            planted()
