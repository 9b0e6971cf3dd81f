"""The built-in tool of strict runs: a plan that a person approves before anything is done."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from assent.core.errors import ConfigError
from assent.core.preview import Preview
from assent.core.run_mode import PLAN
from assent.tools.declared import NOTHING
from assent.tools.tool import Tool, tool


async def _steps(steps: list[str]) -> Preview:
    way = "Your yes does none of this yet: the agent then goes step by step, and asks you before each effect."
    return Preview("steps", way, tuple([f"Step {number}: {step}" for number, step in enumerate(steps, 1)]))


@tool(name=PLAN, privilege="read_only", source=NOTHING, preview=_steps)
async def plan_tool(steps: Annotated[list[str], Field(min_length=1)]) -> str:
    """Lay your plan before a person, who approves, changes or rejects it: one short sentence for each step."""
    listed = "\n".join([f"{number}. {step}" for number, step in enumerate(steps, 1)])
    return f"The plan is approved as follows. Go on with it; a person is asked about each effect.\n{listed}"


def equipped(tools: Mapping[str, Tool[Any, Any]], mode: str) -> dict[str, Tool[Any, Any]]:
    """The tools of a run in that mode: a strict one has `plan` beside those of its agent."""
    if mode != "strict":
        return dict(tools)
    if PLAN in tools:
        raise ConfigError(f"A strict run has a tool {PLAN!r} of its own: give the agent's tool of that name another.")
    return {**tools, PLAN: plan_tool}
