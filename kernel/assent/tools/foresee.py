"""Previews of calls: what a tool says that a call of it would do. A preview has a limit, and no effect of its own."""

import asyncio
import functools
import inspect
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from assent.core.preview import Preview, Table
from assent.core.secrets import hide
from assent.core.words import words
from assent.tools.execute import in_thread
from assent.tools.preview import is_frame
from assent.tools.sql import table_display
from assent.tools.tool import Output, Tool, validate

_ends: ContextVar[float] = ContextVar("ends")  # when the preview that is being made must be there


def left() -> float:
    """Seconds that the preview which is being made still has."""
    return max(_ends.get() - time.monotonic(), 0.0)


async def foresee(tool: Tool[Any, Any], arguments: Mapping[str, Any], seconds: float) -> Preview:
    """What a call would do, in at most `seconds`; where nobody can say, a preview that says so."""
    if tool.preview is None:
        return none(f"{tool.name} has no preview: what it would change is not known before it runs.")
    token = _ends.set(time.monotonic() + seconds)
    try:
        async with asyncio.timeout(seconds):
            return _preview(await _asked(tool.preview, validate(tool, arguments)))
    except TimeoutError:
        return none(f"The preview of {tool.name} was not there within {seconds:g} s.")
    except (Exception, SystemExit) as error:
        return none(f"The preview of {tool.name} failed: {type(error).__name__}: {hide(words(error))[:200]}")
    finally:
        _ends.reset(token)


def none(why: str) -> Preview:
    """That there is no preview, and why."""
    return Preview("none", "Not previewed.", gaps=(why,))


async def _asked(preview: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    wanted = inspect.signature(preview).parameters
    given = {name: value for name, value in values.items() if name in wanted}
    if inspect.iscoroutinefunction(preview):
        return await preview(**given)
    return await in_thread(functools.partial(preview, **given))


def _preview(said: Any) -> Preview:
    """What a tool's preview gave: a Preview, text, an Output with a display, a DataFrame."""
    if isinstance(said, Preview):
        return said
    way = "The tool's own word; nothing was run."
    if is_frame(said):
        return Preview("tool", way, tables=(_shown(table_display(said)),))
    if isinstance(said, Output):
        display = said.display or {}
        tables = (_shown(display),) if display.get("type") == "table" else ()
        return Preview("tool", way, (said.text,) if said.text and "\n" not in said.text else (), tables=tables,
                       text=said.text if "\n" in said.text else "")  # fmt: skip
    text = str(said)
    lines = text.strip().splitlines()
    return Preview("tool", way, tuple(lines)) if 0 < len(lines) <= 6 else Preview("tool", way, text=text)


def _shown(display: Mapping[str, Any]) -> Table:
    rows = tuple([tuple([None if cell is None else str(cell) for cell in row]) for row in display["rows"]])
    return Table("what it would do", tuple(display["columns"]), rows, display["total"] or len(rows))
