"""What the risk checks of a call need besides its arguments: the facts that its tool gives, and how much is used."""

import asyncio
import functools
import inspect
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from assent.core.canonical import plain
from assent.core.events import Scope
from assent.core.secrets import hide_within
from assent.core.words import words
from assent.risk import amount, reserve
from assent.risk.check import FAILED, Checks
from assent.store.window import Window
from assent.tools.execute import in_thread
from assent.tools.tool import Tool, validate

WITHIN = 5.0  # seconds that a tool's facts may take


def wanted(checks: Checks) -> bool:
    """Whether there is anything to look up for these."""
    return any(check.needs or check.quota for check in checks)


async def gather(
    journal: Window,
    tool: Tool[Any, Any],
    checks: Checks,
    arguments: Mapping[str, Any],
    scope: Scope,
    *,
    call: str,
    counted: bool,
) -> dict[str, Any]:
    """The facts for `checks`, as JSON can say them; with what is used over time if `counted`.

    What cannot be had is left out, and a check that needs it denies.
    """
    known = await _facts(tool, arguments) if any(check.needs for check in checks) else {}
    if counted:
        known |= reserve.used(journal, checks, tool.name, scope)
    return known


async def _facts(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    if tool.facts is None:
        return {FAILED: f"{tool.name} gives no facts: say @tool(facts=FUNCTION)"}
    try:
        async with asyncio.timeout(WITHIN):
            found = await _given(tool.facts, validate(tool, arguments))
        if not isinstance(found, Mapping):
            raise TypeError(f"it gave {type(found).__name__}, which is no mapping of names to facts")
    except TimeoutError:
        return {FAILED: f"they did not come within {WITHIN:g} s"}
    except Exception as error:  # whatever it is, the check that lacks its fact denies
        return {FAILED: f"{type(error).__name__}: {words(error)}"}
    kept: dict[str, Any] = hide_within({str(name): _kept(value) for name, value in found.items()})
    return kept


async def _given(function: Any, values: Mapping[str, Any]) -> Any:
    parameters = inspect.signature(function).parameters.values()
    every = any(item.kind is item.VAR_KEYWORD for item in parameters)
    names = values if every else [item.name for item in parameters if item.name in values]
    call = functools.partial(function, **{name: values[name] for name in names})
    found = call() if inspect.iscoroutinefunction(function) else await in_thread(call)
    return await found if inspect.isawaitable(found) else found


def _kept(value: Any) -> Any:
    """A fact as the journal keeps it, so that a replay reads the same; a decimal as digits."""
    if isinstance(value, Decimal) and value.is_finite():
        return amount.plain(value)
    return plain(value)
