"""A process that pays by HTTP and is killed between the payment and the news of it."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from pathlib import Path

from tests.support.calls import call

import assent
from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import ResumeRun, StartRun
from assent.core.config import Config
from assent.models.scripted import ScriptedModel
from assent.tools.tool import tool


@tool(privilege="execute_safe", idempotent=True)
def pay(url: str, cents: int, deadly: str, idempotency_key: str) -> str:
    """Pay, and die of it where the file `deadly` is."""
    assert idempotency_key == assent.idempotency_key()
    body = json.dumps({"cents": cents}).encode()
    request = urllib.request.Request(url, body, headers={"Idempotency-Key": idempotency_key})
    with urllib.request.urlopen(request) as answer:
        said = str(answer.read().decode())
    if Path(deadly).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return said


def go_on(folder: str, url: str, deadly: str) -> None:
    """Begin the run, or take it up, and print how it stands."""
    model = ScriptedModel([call("pay", url=url, cents=995, deadly=deadly), "Paid."])
    session = Session(Path(folder), config=Config(), models=[model])
    session.add_tool(pay)
    begun = session.journal.select("SELECT run FROM runs")
    command = ResumeRun(begun[0][0]) if begun else StartRun("Pay.", Agent(name="tester", tools=("pay",)))
    print(asyncio.run(session.drain(command)).status)
    session.close()


if __name__ == "__main__":
    go_on(*sys.argv[1:])
