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
from typing import Any

from assent.core.grant import Grant
from assent.tools.guard import guarded
from assent.tools.tool import Output, Tool, validate

TEXT_LIMIT = 20_000  # characters of a result that a model gets to read


async def execute(
    tool: Tool[Any, Any], call: str, arguments: Mapping[str, Any], grant: Grant, seconds: float
) -> Output:
    """Spend `grant` on running `tool`; a failure of the tool is an `Output` with `error` set, which the model reads.

    `seconds` is the limit where the tool sets none. Cancelling stops an async tool; a thread
    cannot be stopped and is left behind.
    """
    grant.redeem(call, tool.name, arguments)
    try:
        values = validate(tool, arguments)
    except ValueError as error:
        return Output(f"Wrong arguments for {tool.name}: {error}. Correct them and call again.", error=True)
    limit = tool.timeout or seconds
    try:
        async with asyncio.timeout(limit) as clock:
            return _output(await _call(tool, values, limit))
    except TimeoutError as error:
        if not clock.expired():
            return _raised(tool, error)
        text = f"{tool.name} did not finish within {limit:g} s and was given up; it may still have an effect."
        return Output(text, error=True)
    except Exception as error:
        return _raised(tool, error)


def clip(text: str, limit: int = TEXT_LIMIT) -> str:
    """`text`, or its beginning and end with a note of how much is missing between them."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def parse(arguments: str) -> dict[str, Any]:
    """A model's arguments from its JSON text; `ValueError` says what is wrong."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError as error:
        raise ValueError(f"the arguments are not valid JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError("the arguments must be one JSON object")
    return value


async def _call(tool: Tool[Any, Any], values: dict[str, Any], limit: float) -> Any:
    if tool.here:
        with guarded(limit):
            result = tool.function(**values)
            return await result if inspect.isawaitable(result) else result
    if inspect.iscoroutinefunction(tool.function):
        return await tool.function(**values)
    result = await _in_thread(functools.partial(tool.function, **values))
    return await result if inspect.isawaitable(result) else result


def _in_thread(function: Any) -> Awaitable[Any]:
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
        except StopIteration as error:
            outcome = ("set_exception", RuntimeError(f"the tool raised StopIteration: {error}"))
        except BaseException as error:
            outcome = ("set_exception", error)
        with contextlib.suppress(RuntimeError):  # the loop was closed before a slow tool came back
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=work, name="assent-tool", daemon=True).start()
    return future


def _output(result: Any) -> Output:
    if isinstance(result, Output):
        return Output(clip(result.text), result.display, result.value, result.error)
    return Output(clip(_text(result)), value=result)


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
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" (line {where[0].lineno} of {where[0].name})" if where else ""
    return Output(clip(f"{tool.name} raised {type(error).__name__}: {error}{place}"), error=True)
