"""What several processes on one workspace do that are killed: each carries its run on, and all answer what any asks."""

import asyncio
import contextlib
import threading
import time
from pathlib import Path

from tests.runs.killable import append, lines, note_in
from tests.support.calls import call

from assent.app import Session
from assent.core.agent import Agent
from assent.core.approval import Pending
from assent.core.commands import Decide, ResumeRun, RunCommand, StartRun
from assent.core.config import Config
from assent.core.errors import ConfigError, Conflict, NotFound
from assent.core.events import Event
from assent.models.scripted import ScriptedModel
from assent.tools.tool import Tool, tool

BATCHES = (("note", [1]), ("mail", [2]), ("note", [3, 4, 5]), ("mail", [6, 7]), ("note", [8]))
LINES = [line for _, batch in BATCHES for line in batch]
PATIENCE = 20.0  # seconds for others to see that this process's last life has ended; it takes them three at most
_LOOK = 0.02  # seconds between two looks at what is asked


def mail_in(effects: Path) -> Tool[..., None]:
    note = note_in(effects)

    @tool(privilege="execute_risky")
    def mail(line: int) -> None:
        note.function(line)

    return mail


def carry_on(folder: str, name: str) -> None:
    """Begin the run of this name, or take it up where it was cut off, until it has finished."""
    base = Path(folder)
    script = [[call(tool, line=line) for line in batch] for tool, batch in BATCHES]
    session = Session(base / "workspace", config=Config(), models=[ScriptedModel([*script, "done"])])
    effects = effects_of(base, name)
    session.add_tool(note_in(effects))
    session.add_tool(mail_in(effects))
    ended = threading.Event()
    clerk = threading.Thread(target=_answer, args=(session, base, ended), daemon=True)
    clerk.start()
    asyncio.run(_until_finished(session, base, name))
    ended.set()
    clerk.join()
    session.close()


def effects_of(base: Path, name: str) -> Path:
    return base / f"effects of {name}"


async def _until_finished(session: Session, base: Path, name: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        runs = dict(session.journal.select("SELECT run, status FROM runs WHERE agent = ?", [name]))
        assert len(runs) <= 1
        if "finished" in runs.values():
            return
        command: RunCommand = StartRun("Go.", Agent(name=name, tools=("note", "mail")), on_ask="wait", wait=5)
        if runs:
            command = ResumeRun(next(iter(runs)), on_ask="wait", wait=5)
        try:
            async for item in session.submit(command):
                if isinstance(item, Event):
                    append(base / "acknowledged", item.hash)
        except ConfigError:  # nobody has noticed yet that the last life of this process has ended
            if time.monotonic() > until:
                raise
            await asyncio.sleep(_LOOK)


def _answer(session: Session, base: Path, ended: threading.Event) -> None:
    """Answer whatever any of the runs asks, until this process ends."""
    while not ended.wait(_LOOK):
        for asked in session.pending():
            with contextlib.suppress(NotFound, ConfigError, Conflict):  # somebody else was first
                session.decide(_decision(asked, base))


def _decision(asked: Pending, base: Path) -> Decide:
    if not asked.unknown:
        return Decide(asked.call, "approve")
    append(base / "asked", asked.call)
    there = str(asked.arguments["line"]) in lines(effects_of(base, asked.agent))
    return Decide(asked.call, "approve", outcome="The line is there." if there else None)
