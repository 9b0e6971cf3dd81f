"""A process that is killed as it carries on a run whose every effect was proposed by a tool."""

import asyncio
import os
import time
from pathlib import Path

from tests.runs.killable import BATCHES, PAUSE, note_in, until_finished
from tests.support.calls import call

from assent import Proposal
from assent.app import Session
from assent.core.config import Config
from assent.models.scripted import ScriptedModel
from assent.tools.tool import Tool, tool


def wish_in(wishes: Path) -> Tool[..., list[Proposal]]:
    noted = os.open(wishes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)  # before: one that proposes may open none to write

    @tool(proposes=True)
    def wish(lines: list[int]) -> list[Proposal]:
        os.write(noted, f"{lines[0]}\n".encode())
        time.sleep(PAUSE)
        return [Proposal("note", {"line": line}) for line in lines]

    return wish


def carry_on(folder: str) -> None:
    """Begin the run, or take it up where it was cut off, until it has finished."""
    base = Path(folder)
    script = [call("wish", lines=batch) for batch in BATCHES]
    session = Session(base / "workspace", config=Config(), models=[ScriptedModel([*script, "done"])])
    for one in (wish_in(base / "wishes"), note_in(base / "effects")):
        session.add_tool(one)
    asyncio.run(until_finished(session, base, ("wish", "note")))
    session.close()
