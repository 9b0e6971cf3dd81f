"""A session that may die at any moment: its files are copied as they are then, as kill -9 leaves them, and opened anew.

What it did after that moment is of a world that is gone: its effects are forgotten with it.
"""

import asyncio
import contextlib
import json
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.calls import call

from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.errors import ConfigError
from assent.core.events import Event
from assent.core.messages import Text, ToolCall, assistant
from assent.core.model import Answer, Delta, Request, TextDelta, Usage
from assent.store import blobs, database
from assent.tools.idempotency import idempotency_key
from assent.tools.tool import Tool, tool

Batch = Sequence[str]  # the tools that one turn of the model calls


class Script:
    """Proposes the batches that a run's prompt lists, one after the other, then answers. `at` is told of each turn."""

    name = "scripted:mortal"

    def __init__(self, at: Callable[[], None]) -> None:
        self._at = at

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        self._at()
        await asyncio.sleep(0)
        batches = json.loads(next(message.text for message in request.messages if message.role == "user"))
        turn = sum(message.role == "assistant" for message in request.messages)
        said: list[ToolCall | Text] = [call(name, line=turn) for name in batches[turn]] if turn < len(batches) else []
        yield TextDelta(".")
        yield Answer(assistant(*(said or [Text("done")])), Usage(input=1, output=1), "calls" if said else "stop")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call did to the world."""

    call: str
    line: int


@dataclass
class Mortal:
    """A workspace under `base`, a session on it, the effects that its tools have had, the events that were committed.

    A moment is when a model is asked, a tool is about to act or has acted, or events were committed.
    """

    base: Path
    lives: int = 0
    effects: list[Effect] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    countdown: int | None = None
    happening: str = "kill"
    struck: bool = False
    run: str = ""  # of the last event
    threads: list[threading.Thread] = field(default_factory=list)
    copied: tuple[int, int] | None = None  # how many effects and acknowledged events there were at the copy
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.open()

    @property
    def folder(self) -> Path:
        return self.base / str(self.lives)

    def open(self) -> None:
        self.session = Session(self.folder, config=Config(), models=[Script(self.moment)])
        for one in self.tools():
            self.session.add_tool(one)
        self.session.journal.subscribe(self.heard)

    def begin(self, moment: int | None, happening: str) -> None:
        """Count down to `moment` from now, and kill the session then, or cancel or pause the run that is at work."""
        self.countdown, self.run, self.struck, self.happening = moment, "", False, happening

    def end(self) -> bool:
        """Whether it has come to that."""
        with self.lock:
            self.countdown = None
            threads, self.threads = self.threads, []
        for thread in threads:
            thread.join()
        return self.struck

    def moment(self) -> None:
        """Something might happen now."""
        with self.lock:
            if self.countdown is None:
                return
            self.countdown -= 1
            if self.countdown < 0 and (self.run or self.happening == "kill"):
                self.countdown, self.struck = None, True
                self._strike()

    def _strike(self) -> None:
        if self.happening == "kill":
            self.copy()
            return
        thread = threading.Thread(target=self._stop, args=(self.session, self.run))
        self.threads.append(thread)
        thread.start()

    def _stop(self, session: Session, run: str) -> None:
        with contextlib.suppress(ConfigError):  # it has come to its end meanwhile
            session.cancel(run) if self.happening == "cancel" else session.pause(run, seconds=0)

    def copy(self) -> None:
        """Keep the files as they are, together with what has been done and told so far."""
        with self.lock:  # no effect comes in between
            self.copied = len(self.effects), len(self.acknowledged)
            new = self.base / str(self.lives + 1)
            new.mkdir()
            for path in self.folder.glob(f"{database.FILE}*"):
                shutil.copy(path, new)
            if (self.folder / blobs.FOLDER).exists():
                shutil.copytree(self.folder / blobs.FOLDER, new / blobs.FOLDER)

    def die(self) -> None:
        """Go on in the copy; without one, as it is now."""
        if self.copied is None:
            self.copy()
        assert self.copied is not None
        self.countdown = None
        self.session.close()
        done, told = self.copied
        self.effects, self.acknowledged, self.copied = self.effects[:done], self.acknowledged[:told], None
        self.lives += 1
        self.open()

    def heard(self, events: Sequence[Event]) -> None:
        if not events:  # a group that was refused whole
            return
        with self.lock:
            self.acknowledged += [event.hash for event in events]
            self.run = events[-1].run or self.run
        self.moment()

    def tools(self) -> list[Tool[..., Any]]:
        @tool(privilege="read_only")
        async def look(line: int) -> str:
            await self._pause()
            return f"saw {line}"

        @tool(privilege="execute_safe")
        async def note(line: int) -> str:
            return await self._act(line)

        @tool(privilege="execute_safe", idempotent=True)
        async def put(line: int) -> str:
            return await self._act(line)

        @tool(privilege="execute_risky")
        async def mail(line: int) -> str:
            return await self._act(line)

        return [look, note, put, mail]

    async def _pause(self) -> None:
        self.moment()
        await asyncio.sleep(0)

    async def _act(self, line: int) -> str:
        await self._pause()
        with self.lock:
            self.effects.append(Effect(idempotency_key(), line))
        await self._pause()
        return f"did {line}"


TOOLS = ("look", "note", "put", "mail")
AGENT = Agent(name="mortal", tools=TOOLS)
