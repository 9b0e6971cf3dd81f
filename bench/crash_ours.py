"""Assent in the same peril; who answers looks for the effect itself: `python -m bench.crash_ours KILLS`."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.messages import Text, ToolCall, assistant
from assent.core.model import Answer, Delta, Request, TextDelta
from assent.tools.tool import Tool, tool
from bench import doom
from bench.ours import USAGE


class Script:
    """Asks for the effects of each batch, then answers."""

    name = "scripted:doom"

    def __init__(self, folder: Path, moment: str) -> None:
        self._folder = folder
        self._moment = moment

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        """One delta, then the answer."""
        turn = sum(message.role == "assistant" for message in request.messages)
        doom.asked(self._folder, turn, self._moment)
        batches = doom.batches(self._moment)
        batch = batches[turn] if turn < len(batches) else []
        calls = [ToolCall(f"{turn}.{line}", "note", f'{{"line": "{line}"}}') for line in batch]
        yield TextDelta(".")
        yield Answer(assistant(*(calls or [Text("done")])), USAGE, "calls" if calls else "stop")


def live(folder: Path, moment: str) -> None:
    """Begin the run, or take it up where its journal ends."""
    session = Session(folder / ".assent", config=Config(), models=[Script(folder, moment)])
    session.add_tool(_note(folder, moment))
    asyncio.run(_finish(session, folder))
    session.close()


def _note(folder: Path, moment: str) -> Tool[..., str]:
    @tool(privilege="execute_safe")
    def note(line: str) -> str:
        """Write a line."""
        doom.act(folder, line, moment)
        return line

    return note


async def _finish(session: Session, folder: Path) -> None:
    begun = session.journal.select("SELECT run FROM runs")
    command = ResumeRun(begun[0][0]) if begun else StartRun("Go.", Agent("doomed", tools=("note",)))
    while (result := await session.drain(command)).status != "finished":
        for asked in session.pending():
            doom.append(folder, doom.ASKED, asked.call)
            there = asked.arguments["line"] in doom.lines(folder, doom.EFFECTS)
            session.decide(Decide(asked.call, "approve", outcome="The line is there." if there else None))
        command = ResumeRun(result.run)


if __name__ == "__main__":
    doom.main(live)
