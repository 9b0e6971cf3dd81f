"""The only function that runs a tool. It wants the grant, gives every outcome as a value, and keeps its time."""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import json
import threading
import traceback
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from assent.core.canonical import too_deep
from assent.core.cut import back, fore
from assent.core.errors import NothingDone
from assent.core.grant import Grant
from assent.core.secrets import hide, hide_within
from assent.core.taint import Source, pair
from assent.core.words import words
from assent.tools.declared import NOTHING
from assent.tools.files_written import Files, watched_call
from assent.tools.guard import guarded, turn
from assent.tools.idempotency import PARAMETER, keyed
from assent.tools.proposal import MOST, split
from assent.tools.tool import Output, Tool, validate

SHOW = 0.01  # seconds for displays to say that a call begins: its code may hold up the loop
TEXT_LIMIT = 20_000  # characters of a result that a model gets to read
_DEEDS = 5  # that are told of a tool which may do nothing itself


async def execute(
    tool: Tool[Any, Any], call: str, arguments: Mapping[str, Any], grant: Grant, seconds: float
) -> Output:
    """Spend `grant` on running `tool`; a failure of the tool is an `Output` with `error` set, which the model reads.

    The function gets the values that were judged, where the grant has them: a validator is not asked a second time.
    `seconds` is the limit where the tool sets none. Cancelling stops an async tool; a thread cannot be stopped and is
    left behind. Files that its code is seen to write are told with its result; what proposes may do nothing itself.
    """
    grant.redeem(call, tool.name, arguments)
    try:
        values = dict(validate(tool, arguments) if grant.values is None else grant.values)
    except ValueError as error:
        return Output(clip(misfit(tool.name, error)), error=True, undone=True)
    if tool.keyed:
        values[PARAMETER] = call
    limit = tool.timeout or seconds
    async with turn() if tool.here else contextlib.nullcontext():
        with keyed(call), watched_call(call) as files:
            output = await _timed(tool, values, limit, call)
    return _seen(tool, output, files)


def clip(text: str, limit: int = TEXT_LIMIT, value: Any = None) -> str:
    """`text`, or its beginning and end with a note of how much is missing between them; without known keys.

    What is to be masked is in it or missing as a whole. `value` is what the text tells.
    """
    text = hide(text)  # before a cut leaves half a key
    if len(text) <= limit:
        return text
    head, tail = fore(text, limit // 2, value), back(text, len(text) - limit // 2, value)
    if head >= tail:
        return text
    return f"{text[:head]}\n… {tail - head:,} characters left out …\n{text[tail:]}"


def parse(arguments: str) -> dict[str, Any]:
    """A model's arguments from its JSON text; `ValueError` says what is wrong."""
    try:
        value = json.loads(arguments or "{}")
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"the arguments are not valid JSON ({error})") from None
    except RecursionError:
        raise ValueError("the arguments are nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("the arguments must be one JSON object")
    if too_deep(value):
        raise ValueError("the arguments are nested too deeply")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair cannot be kept, and what is approved must be what is kept.
        value = dict(json.loads(text.encode("utf-8", "replace")))
    return value


def misfit(tool: str, error: ValueError) -> str:
    """What a model reads of arguments that `parse` or `validate` refused."""
    return f"Wrong arguments for {tool}: {error}. Correct them and call again."


async def _timed(tool: Tool[Any, Any], values: dict[str, Any], limit: float, call: str) -> Output:
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(limit) as clock:
            return _output(tool, await _call(tool, values, limit, call))
    except KeyboardInterrupt:
        # Out of a task it would stop the kernel's loop; a cancellation stops the run.
        raise asyncio.CancelledError from None
    except asyncio.CancelledError as error:
        if tool.here or (task is not None and task.cancelling()):
            raise
        return _raised(tool, error)  # the tool awaited something that was cancelled; nobody cancelled the run
    except (Exception, SystemExit) as error:
        if not clock.expired():
            return _raised(tool, error)
        text = f"{tool.name} did not finish within {limit:g} s and was given up; it may still have an effect."
        return Output(text, error=True)


async def _call(tool: Tool[Any, Any], values: dict[str, Any], limit: float, call: str) -> Any:
    if tool.here:
        await asyncio.sleep(SHOW)
        with guarded(limit, call):
            result = tool.function(**values)
            return await result if inspect.isawaitable(result) else result
    if inspect.iscoroutinefunction(tool.function):
        return await tool.function(**values)
    result = await in_thread(functools.partial(tool.function, **values))
    return await result if inspect.isawaitable(result) else result


def in_thread(function: Any) -> Awaitable[Any]:
    """A thread of its own for each call: a pool's threads would all be lost to a few tools that hang."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    context = contextvars.copy_context()

    def settle(method: str, value: Any) -> None:
        if not future.done():
            getattr(future, method)(value)

    def work() -> None:
        try:
            outcome = ("set_result", context.run(function))
        except BaseException as error:
            outcome = ("set_exception", _carried(error))
        with contextlib.suppress(RuntimeError):  # the loop was closed before a slow tool came back
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=work, name="assent-tool", daemon=True).start()
    return future


def _carried(error: BaseException) -> Exception:
    """An exception that a future may carry to the loop and that means nothing there but that the tool failed."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"{type(error).__name__} {words(error)}".rstrip()).with_traceback(error.__traceback__)


def _output(tool: Tool[Any, Any], result: Any) -> Output:
    beside, proposals = split(result)
    if not tool.proposes:
        refused = "proposed something, which only a tool declared @tool(proposes=True) may: nothing of it is done"
        return Output(f"{tool.name} {refused}.", error=True) if proposals else _given(result)
    if len(proposals) > MOST:
        text = f"{tool.name} made {len(proposals)} proposals, and {MOST} are the most: none is taken."
        return Output(text, error=True)
    if beside is None:
        beside = f"{len(proposals) or 'No'} proposal{'' if len(proposals) == 1 else 's'}."
    return replace(_given(beside), proposals=proposals)


def _seen(tool: Tool[Any, Any], output: Output, files: Files) -> Output:
    """The outcome with the files that the call wrote, if it says nothing of files itself."""
    if "files" not in (output.touched or {}) and (wrote := files.to_json()):
        output = replace(output, touched=hide_within({**(output.touched or {}), **wrote}))
    reads = tool.source not in ("", NOTHING)  # it has said that it asks somebody
    if not tool.proposes or not (deeds := files.deeds(reads=reads)):
        return output
    more = f" and {len(deeds) - _DEEDS} more" if len(deeds) > _DEEDS else ""
    text = (
        f"{tool.name} is declared @tool(proposes=True), but did something itself: "
        f"it {', '.join(deeds[:_DEEDS])}{more}. "
        "That is done. None of its proposals is taken: let it propose a call that does this, or leave proposes away. "
        'One that asks a host says so: @tool(source="web:HOST").'
    )
    return Output(clip(f"{text}\n{output.text}" if output.error else text), error=True, touched=output.touched)


def _given(result: Any) -> Output:
    if isinstance(result, Output):
        display = None if result.display is None else hide_within(dict(result.display))
        touched = None if result.touched is None else hide_within(dict(result.touched))
        sources = None if result.sources is None else tuple([Source(*pair(item)) for item in result.sources])
        text = clip(result.text, value=result.value)
        return Output(text, display, result.value, result.error, touched, sources=sources)
    return Output(clip(_text(result), value=result), value=result)


def _text(result: Any) -> str:
    if result is None:
        return "done"
    if isinstance(result, str):
        return result
    try:
        return json.dumps(result, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(result)


def _raised(tool: Tool[Any, Any], error: BaseException) -> Output:
    if isinstance(error, NothingDone):
        return Output(clip(f"{tool.name} did nothing: {words(error)}"), error=True, undone=True)
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" (line {where[0].lineno} of {where[0].name})" if where else ""
    return Output(clip(f"{tool.name} raised {type(error).__name__}: {words(error)}{place}"), error=True)
