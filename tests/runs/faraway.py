"""What another process does while this one stops its run: `python -m tests.runs.faraway FOLDER model|code|tool`."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.calls import call

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.events import Kind
from assent.core.messages import Message, Text
from assent.core.model import Answer, Delta, Request, TextDelta
from assent.models.scripted import ScriptedModel
from assent.tools.tool import tool


class Endless:
    """Begins to answer and never ends."""

    name = "test:endless"

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        yield TextDelta("Half an answer")
        await asyncio.Event().wait()
        yield Answer(Message("assistant", (Text("never"),)))


def _act() -> None:
    with open("effects", "a") as file:
        file.write("acted\n")
    print("begun", flush=True)


@tool(privilege="execute_safe", here=True)
def code() -> None:
    """Have an effect, then hold everything up."""
    _act()
    time.sleep(60)


@tool(privilege="execute_safe")
def wait() -> str:
    """Have an effect, then wait for a word from the process that started this one."""
    _act()
    return sys.stdin.readline()


async def _work(session: Session) -> None:
    async for item in session.submit(StartRun("Go.", Agent(tools=("code", "wait")))):
        if getattr(item, "delta", None) == TextDelta("Half an answer"):
            print("begun", flush=True)
        elif getattr(item, "kind", None) is Kind.STOP_REQUESTED:
            print("asked", flush=True)


def main(folder: str, what: str) -> None:
    model = Endless() if what == "model" else ScriptedModel([call(what), "done"])
    session = Session(Path(folder), config=Config(), models=[model])
    session.add_tool(code)
    session.add_tool(wait)
    asyncio.run(_work(session))
    session.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
