"""Previews of calls: what a tool says that a call of it would do. A preview has a limit, and no effect of its own.

It is made in a thread of its own, asynchronous ones on a loop of their own there: code that blocks holds up nobody.
"""

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

from assent.core.preview import Preview, Table, from_json, to_json
from assent.core.secrets import hide
from assent.core.words import words
from assent.tools.execute import in_thread
from assent.tools.preview import is_frame
from assent.tools.sql import table_display
from assent.tools.tool import Output, Tool, validate

T = TypeVar("T")

_ends: ContextVar[float] = ContextVar("ends")  # when the preview that is being made must be there
_home: ContextVar[asyncio.AbstractEventLoop] = ContextVar("home")  # whose loop asks for it


def left() -> float:
    """Seconds that the preview which is being made still has."""
    return max(_ends.get() - time.monotonic(), 0.0)


async def at_home(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await something on the loop, and in the thread, that asks for the preview which is being made."""
    coroutine = work()
    try:
        begun = asyncio.run_coroutine_threadsafe(coroutine, _home.get())
    except RuntimeError:  # that loop was closed meanwhile
        coroutine.close()
        raise
    return await asyncio.wrap_future(begun)


async def foresee(tool: Tool[Any, Any], arguments: Mapping[str, Any], seconds: float) -> Preview:
    """What a call would do, in at most `seconds`; where nobody can say, a preview that says so."""
    if tool.preview is None:
        return none(f"{tool.name} has no preview: what it would change is not known before it runs.")
    token, home = _ends.set(time.monotonic() + seconds), _home.set(asyncio.get_running_loop())
    try:
        async with asyncio.timeout(seconds):
            found: Preview = await in_thread(functools.partial(_made, tool, tool.preview, dict(arguments)))
            return found
    except TimeoutError:
        return none(f"The preview of {tool.name} was not there within {seconds:g} s.")
    except (Exception, SystemExit) as error:
        return none(f"The preview of {tool.name} failed: {type(error).__name__}: {hide(words(error))[:200]}")
    finally:
        _ends.reset(token)
        _home.reset(home)


def none(why: str) -> Preview:
    """That there is no preview, and why."""
    return Preview("none", "Not previewed.", gaps=(why,))


def _made(tool: Tool[Any, Any], preview: Callable[..., Any], arguments: Mapping[str, Any]) -> Preview:
    """In a thread: what the preview gives, as text and numbers alone, since any object's text may take its time."""
    wanted = inspect.signature(preview).parameters
    said = preview(**{name: value for name, value in validate(tool, arguments).items() if name in wanted})
    return from_json(to_json(_preview(asyncio.run(_awaited(said)) if inspect.isawaitable(said) else said)))


async def _awaited(said: Awaitable[Any]) -> Any:
    async with asyncio.timeout(left()):
        return await said


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
