"""What the processes do that are killed: carry one run on, and answer what it asks by looking at what happened."""

import asyncio
import os
import time
from pathlib import Path

from tests.support.calls import call

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.events import Event
from assent.models.scripted import ScriptedModel
from assent.tools.tool import Tool, tool

BATCHES = ([1], [2], [3, 4, 5], [6], [7, 8], [9])
LINES = [line for batch in BATCHES for line in batch]
PAUSE = 0.003  # seconds before and after the effect, so that kills land on both sides of it


def append(path: Path, line: str) -> None:
    """One line, by one system call: it is there wholly or not at all."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def note_in(effects: Path) -> Tool[..., None]:
    @tool(privilege="execute_safe")
    def note(line: int) -> None:
        time.sleep(PAUSE)
        append(effects, str(line))
        time.sleep(PAUSE)

    return note


def carry_on(folder: str) -> None:
    """Begin the run, or take it up where it was cut off, until it has finished."""
    base = Path(folder)
    script = [[call("note", line=line) for line in batch] for batch in BATCHES]
    with_end = ScriptedModel([*script, "done"])
    session = Session(base / "workspace", config=Config(), models=[with_end])
    session.add_tool(note_in(base / "effects"))
    asyncio.run(until_finished(session, base, ("note",)))
    session.close()


async def until_finished(session: Session, base: Path, tools: tuple[str, ...]) -> None:
    """Begin a run with these tools, or take it up, and answer what it asks until it has finished."""
    begun = session.journal.select("SELECT run, status FROM runs")
    if begun and begun[0][1] == "finished":
        return  # killed between the last commit and the end of the process
    command = ResumeRun(begun[0][0]) if begun else StartRun("Go.", Agent(name="tester", tools=tools))
    while True:
        last = None
        async for item in session.submit(command):
            if isinstance(item, Event):
                append(base / "acknowledged", item.hash)
                last = item
        assert last is not None
        if last.kind == "run_finished":
            return
        assert last.kind == "run_suspended", last.body
        command = ResumeRun(last.run or "")
        for asked in session.pending():
            assert asked.unknown, asked
            append(base / "asked", asked.call)
            there = str(asked.arguments["line"]) in lines(base / "effects")
            session.decide(Decide(asked.call, "approve", outcome="The line is there." if there else None))
