"""Short ways to say what a scripted model proposes, and to run one tool by itself."""

import asyncio
import json
from typing import Any

from assent.core.grant import Grant
from assent.core.messages import ToolCall
from assent.tools.execute import execute
from assent.tools.tool import Output, Tool


def call(name: str, /, **arguments: Any) -> ToolCall:
    """A proposed call, as a model writes it."""
    return ToolCall("", name, json.dumps(arguments))


def by_prompt(**scripts: list[Any]) -> list[Any]:
    """The turns of a model that follows another script for each prompt."""

    def turn(number: int) -> Any:
        return lambda request: scripts[request.messages[1].text][number]

    return [turn(number) for number in range(max(map(len, scripts.values())))]


async def act(tool: Tool[..., Any], /, *, seconds: float = 10, **arguments: Any) -> Output:
    """What comes of one call that was granted."""
    return await execute(tool, "r.1", arguments, Grant("r", "r.1", tool.name, arguments, "v"), seconds)


def acted(tool: Tool[..., Any], /, *, seconds: float = 10, **arguments: Any) -> Output:
    """`act`, on a loop of its own."""
    return asyncio.run(act(tool, seconds=seconds, **arguments))
