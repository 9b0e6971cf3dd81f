"""Whatever is approved, edited, resumed and forked: a dry run performs nothing, a strict one what was asked about."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, reject

from assent import Proposal
from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import ForkRun, ResumeRun, RunCommand, StartRun
from assent.core.config import Config
from assent.core.errors import AssentError
from assent.core.events import Kind
from assent.core.ids import run_of
from assent.core.messages import ToolCall
from assent.core.model import Request
from assent.core.run_mode import PLAN
from assent.tools.idempotency import idempotency_key
from assent.tools.tool import Tool, tool

pytestmark = pytest.mark.slow
STEPS = 8


class World:
    """One workspace and what was done in it, by the call that did it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.done: list[str] = []

        @tool(privilege="read_only")
        async def look(n: int) -> str:
            return f"saw {n}"

        @tool(proposes=True)
        async def wish(n: int) -> Any:
            return [Proposal("note", {"n": n}), Proposal("mail", {"n": n})]

        self.tools: tuple[Tool[..., Any], ...] = (look, wish, *[self.act(name) for name in ("note", "put", "mail")])

    def act(self, name: str) -> Tool[..., Any]:
        @tool(name=name, privilege="execute_risky" if name == "mail" else "execute_safe", idempotent=name == "put")
        async def act(n: int) -> str:
            self.done.append(idempotency_key())
            return "done"

        return act

    def says(self, _: Request) -> list[ToolCall] | str:
        names = self.chance.choices(("look", "wish", "note", "put", "mail", PLAN, ""), k=self.chance.randint(1, 3))
        made = [call(name, steps=["Act."]) if name == PLAN else call(name, n=1) for name in names if name]
        return made or "done"

    def run(self, session: Session, command: RunCommand) -> None:
        with contextlib.suppress(AssentError):  # there may be nothing to resume, or nothing behind that step
            asyncio.run(session.drain(command))

    def one(self, session: Session, mode: Any) -> None:
        """Something that people do."""
        runs = [run for (run,) in session.journal.select("SELECT run FROM runs")]
        chosen = self.chance.choice(runs) if runs else ""
        deeds: list[Callable[[], Any]] = [
            lambda: self.run(session, StartRun("Go.", Agent(name="tester", tools=self.tools), mode=mode)),
            lambda: self.run(session, ResumeRun(chosen)),
            lambda: self.run(session, ForkRun(chosen, at=self.chance.randint(0, 3), prompt="Go on.")),
            lambda: self.run(session, ForkRun(chosen, call=f"{chosen}.1", arguments={"n": 2})),
            *[lambda: self.answer(session)] * 4,
        ]
        self.chance.choice(deeds)()

    def answer(self, session: Session) -> None:
        asked_about = session.pending()
        for asked in asked_about:
            edited = {"n": 3} if "n" in asked.arguments and self.chance.random() < 0.3 else None
            scope: Any = self.chance.choice(["once", "once", "run", "session"])
            with contextlib.suppress(AssentError):
                if self.chance.random() < 0.8:
                    approve(session, asked.call, scope=scope, arguments=edited)
                else:
                    reject(session, asked.call)
        for run in sorted({item.run for item in asked_about}):
            self.run(session, ResumeRun(run))


def lived(folder: Path, seed: int, mode: str, config: Config) -> tuple[World, list[Any]]:
    """What came of a few sessions one after the other, and all events."""
    world = World(folder, seed)
    for _ in range(3):
        with opened(folder, *[world.says] * 40, tools=world.tools, config=config) as session:
            for _ in range(STEPS):
                world.one(session, mode)
            runs = [run for (run,) in session.journal.select("SELECT run FROM runs")]
            events = [event for run in runs for event in session.journal.events(run)]
    assert events
    return world, events


@pytest.mark.parametrize("seed", range(4))
def test_a_dry_run_performs_nothing(tmp_path: Path, seed: int) -> None:
    config = [Config(preview=False), Config(preview=False, mode="dry-run")][seed % 2]
    world, events = lived(tmp_path, seed, "dry-run", config)
    assert any(event.body.get("dry") for event in events)
    assert world.done == []
    assert not [event for event in events if event.kind is Kind.CALL_STARTED and event.privilege != "read_only"]


@pytest.mark.parametrize("seed", range(4))
def test_a_strict_run_does_what_was_asked_about_under_its_plan(tmp_path: Path, seed: int) -> None:
    world, events = lived(tmp_path, seed, "strict", Config(preview=False))
    assert world.done  # else nothing was shown
    for done in set(world.done):
        own = [event for event in events if event.run == run_of(done)]
        places = {event.kind: place for place, event in enumerate(own) if event.call == done}
        assert Kind.APPROVAL_DECIDED in places, done
        assert places[Kind.APPROVAL_DECIDED] < places[Kind.CALL_STARTED]
        planned = [
            place
            for place, event in enumerate(own)
            if event.kind is Kind.APPROVAL_DECIDED and event.tool == PLAN and event.decision == "approve"
        ]
        assert planned, done
        assert min(planned) < places[Kind.CALL_STARTED]
    assert len(world.done) == len(set(world.done))
