"""The built-in tool of strict runs: a plan that a person approves before anything is done."""

from typing import Annotated

from pydantic import Field

from assent.core.run_mode import PLAN
from assent.tools.tool import tool


@tool(name=PLAN, privilege="read_only")
async def plan_tool(steps: Annotated[list[str], Field(min_length=1)]) -> str:
    """Lay your plan before a person, who approves, changes or rejects it: one short sentence for each step."""
    listed = "\n".join([f"{number}. {step}" for number, step in enumerate(steps, 1)])
    return f"The plan is approved as follows. Go on with it; a person is asked about each effect.\n{listed}"
