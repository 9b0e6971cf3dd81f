"""Tools that act on nothing: they note what they did, which a test reads in `done`."""

from typing import Any

from assent.tools.tool import tool

done: list[Any] = []  # emptied before every test


@tool(privilege="execute_risky")
def mail(to: str) -> str:
    done.append(to)
    return f"sent to {to}"


@tool(privilege="read_only")
def look(at: str) -> str:
    """Look at something."""
    done.append(f"look {at}")
    return f"saw {at}"


@tool
async def act(what: str) -> str:
    """Do something."""
    done.append(f"act {what}")
    return f"did {what}"
