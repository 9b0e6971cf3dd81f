"""The same task in Assent, its journal on: a session in a folder of its own, one typed tool."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.messages import Text, ToolCall, assistant
from assent.core.model import Answer, CallDelta, Delta, Model, Request, TextDelta, Usage
from assent.runs.result import Result
from assent.tools.tool import tool
from bench.task import ANSWER, ARGUMENTS, INSTRUCTIONS, PROMPT, TOOL

USAGE = Usage(input=120, output=20)


@tool(name=TOOL, privilege="read_only")
async def price(item: str, count: int) -> str:
    """What so many of an item cost."""
    return f"{count} {item}: {count * 3}"


@tool(name=TOOL, privilege="read_only")
def price_in_thread(item: str, count: int) -> str:
    """What so many of an item cost."""
    return f"{count} {item}: {count * 3}"


@contextlib.contextmanager
def session(*models: Model, url: str = "") -> Iterator[Session]:
    """A session on a new workspace; `url` is where a model server answers."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        opened = Session(Path(folder) / ".assent", config=Config(base_url=url), models=models)
        try:
            yield opened
        finally:
            opened.close()


def marking(mark: Callable[[], None]) -> object:
    """The tool, telling when it is called."""

    @tool(name=TOOL, privilege="read_only")
    async def marked(item: str, count: int) -> str:
        """What so many of an item cost."""
        mark()
        return f"{count} {item}: {count * 3}"

    return marked


class Script:
    """A model in the process: `steps` calls of the tool, then the answer; `wait` seconds before each.

    Its own work does not grow with the conversation, so that what grows is the loop's.
    """

    def __init__(self, steps: int, wait: float = 0.0) -> None:
        self.name = "scripted:bench"
        self._steps = steps
        self._wait = wait

    async def stream(self, request: Request) -> AsyncIterator[Delta | Answer]:
        """One delta, then the answer."""
        if self._wait:
            await asyncio.sleep(self._wait)
        if len(request.messages) // 2 > self._steps:
            yield TextDelta(ANSWER)
            yield Answer(assistant(Text(ANSWER)), USAGE)
        else:
            yield CallDelta(0, TOOL, ARGUMENTS)
            yield Answer(assistant(ToolCall(f"c{len(request.messages)}", TOOL, ARGUMENTS)), USAGE, "calls")


def agent(steps: int, model: str = "", given: object = price) -> Agent:
    """An agent that may take `steps` steps with one tool."""
    return Agent("bench", INSTRUCTIONS, model, (given,), max_steps=steps + 1)


async def run(opened: Session, by: Agent) -> Result:
    """One run to its end, which has to be an answer."""
    result = await opened.run(by, PROMPT)
    if result.status != "finished" or result.text != ANSWER:
        raise RuntimeError(f"The measured run ended {result.status}: {result.reason or result.text}")
    return result


async def close_connections(opened: Session, *models: str) -> None:
    """Close what the session's models hold open to their servers."""
    for name in models:
        if close := getattr(opened.model(name), "aclose", None):
            await close()
