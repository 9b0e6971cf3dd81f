"""The only function that runs a tool: whatever the tool does, the outcome is a value, and the loop lives."""

import asyncio
import contextlib
import contextvars
import sys
import threading
import time
from typing import Any

import pytest
from tests.support.calls import act, acted

from assent.core.errors import GateError
from assent.core.grant import Grant
from assent.tools.execute import TEXT_LIMIT, clip, execute, parse
from assent.tools.tool import Output, Tool, tool


def test_no_tool_runs_without_a_grant_for_this_very_act() -> None:
    ran: list[int] = []

    @tool
    def step(x: int) -> None:
        ran.append(x)

    async def attempt(arguments: dict[str, Any], grant: Grant) -> Output:
        return await execute(step, "r.1", arguments, grant, 5)

    grant = Grant("r", "r.1", "step", {"x": 1}, "v")
    with pytest.raises(GateError):
        asyncio.run(attempt({"x": 2}, grant))
    assert asyncio.run(attempt({"x": 1}, grant)).text == "done"
    with pytest.raises(GateError):
        asyncio.run(attempt({"x": 1}, grant))
    assert ran == [1]


def test_wrong_arguments_come_back_for_the_model_to_repair() -> None:
    @tool
    def step(x: int) -> None: ...

    output = acted(step, x="one")
    assert output.error
    assert output.text.startswith("Wrong arguments for step: x: Input should be a valid integer")
    assert output.text.endswith("Correct them and call again.")


class Stubborn:
    def __str__(self) -> str:
        raise LookupError("no text")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise LookupError("no text")


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, "done"),
        ("words", "words"),
        ("", ""),
        ({"a": [1, None, True]}, '{"a": [1, null, true]}'),
        (3.5, "3.5"),
        ({1, 1}, "{1}"),  # noqa: B033 - a set is no JSON
        ({("a", 1): 2}, "{('a', 1): 2}"),
        ("half\ud800", "half\ud800"),
        (Output("for the model", {"type": "x"}, 42), "for the model"),
    ],
)
def test_a_result_is_told_as_text(result: Any, text: str) -> None:
    @tool
    def give() -> Any:
        return result

    output = acted(give)
    assert (output.text, output.error) == (text, False)
    assert output.value == (42 if isinstance(result, Output) else result)


@pytest.mark.parametrize("result", [Stubborn(), Output("x", display=3), Output(None)])  # type: ignore[arg-type]  # wrong on purpose
def test_a_result_that_cannot_be_told_is_a_failure_of_the_tool(result: Any) -> None:
    @tool
    def give() -> Any:
        return result

    output = acted(give)
    assert output.error
    assert output.text.startswith("give raised ")


@pytest.mark.slow
def test_fifty_megabytes_are_cut_for_the_model_and_kept_for_python() -> None:
    @tool
    def flood() -> str:
        return "a" * 25_000_000 + "z" * 25_000_000

    output = acted(flood)
    assert len(output.text) < TEXT_LIMIT + 100
    assert output.text.startswith("aaa")
    assert output.text.endswith("zzz")
    assert "49,980,000 characters left out" in output.text
    assert len(output.value) == 50_000_000


RAISED = [
    (ValueError("wrong"), "ValueError: wrong"),
    (TimeoutError(), "TimeoutError: "),
    (TimeoutError("the server's"), "TimeoutError: the server's"),
    (StopIteration("over"), "StopIteration over"),
    (StopAsyncIteration("over"), "StopAsyncIteration: over"),
    (Unspeakable(), "Unspeakable: <Unspeakable whose text raised LookupError>"),
    (ExceptionGroup("many", [ValueError("one")]), "ExceptionGroup: many (1 sub-exception)"),
    (SystemExit(3), "SystemExit"),
    (asyncio.CancelledError("inner"), "CancelledError"),
]


@pytest.mark.parametrize(
    ("error", "text"), RAISED, ids=[type(error).__name__ + str(n) for n, (error, _) in enumerate(RAISED)]
)
@pytest.mark.parametrize("kind", ["thread", "async"])
def test_what_a_tool_raises_is_its_own_failure(kind: str, error: BaseException, text: str) -> None:
    @tool
    def fail_in_thread() -> None:
        raise error

    @tool
    async def fail() -> None:
        raise error

    if kind == "async" and isinstance(error, StopIteration):
        text = "RuntimeError: coroutine raised StopIteration"  # Python's own doing
    output = acted(fail if kind == "async" else fail_in_thread)
    assert output.error
    assert text in output.text
    assert " raised " in output.text


@pytest.mark.parametrize("error", [KeyboardInterrupt("k"), GeneratorExit("g")])
def test_a_thread_cannot_stop_the_loop(error: BaseException) -> None:
    @tool
    def fail() -> None:
        raise error

    output = acted(fail)
    assert output.error
    assert type(error).__name__ in output.text


def test_an_interrupt_out_of_an_async_tool_is_a_cancellation_not_the_end_of_the_loop() -> None:
    @tool
    async def fail() -> None:
        raise KeyboardInterrupt

    async def run() -> str:
        try:
            await act(fail)
        except asyncio.CancelledError:
            return "cancelled, and the loop lives"
        return "finished"

    assert asyncio.run(run()) == "cancelled, and the loop lives"


def test_where_it_was_raised_is_said() -> None:
    @tool
    def fail() -> None:
        raise ValueError("wrong")

    line = sys._getframe().f_lineno - 2
    assert acted(fail).text == f"fail raised ValueError: wrong (line {line} of fail)"


def test_an_async_tool_that_hangs_is_cancelled() -> None:
    ended: list[str] = []

    @tool
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    output = acted(hang, seconds=0.05)
    assert output.error
    assert output.text.startswith("hang did not finish within 0.05 s and was given up")
    assert ended == ["cleaned up"]


def test_a_thread_that_hangs_is_given_up_and_takes_nobody_elses_place() -> None:
    release = threading.Event()

    @tool
    def hang() -> None:
        release.wait(10)

    @tool
    def quick() -> str:
        return threading.current_thread().name

    async def run() -> list[Output]:
        hanging = [asyncio.ensure_future(act(hang, seconds=0.2)) for _ in range(40)]
        first = await act(quick)
        return [first, *await asyncio.gather(*hanging)]

    try:
        quickly, *given_up = asyncio.run(run())
    finally:
        release.set()
    assert quickly.text == "assent-tool"
    assert all("did not finish within 0.2 s" in output.text for output in given_up)


def test_a_thread_that_comes_back_after_the_loop_is_gone_disturbs_nobody() -> None:
    release, ended = threading.Event(), threading.Event()

    @tool
    def slow() -> None:
        release.wait(10)
        ended.set()

    before = threading.enumerate()
    acted(slow, seconds=0.01)
    [thread] = [thread for thread in threading.enumerate() if thread.name == "assent-tool" and thread not in before]
    release.set()
    thread.join(5)  # an exception in it would fail this test: warnings are errors
    assert ended.is_set()


def test_the_tools_own_limit_wins() -> None:
    @tool(timeout=0.02)
    async def hang() -> None:
        await asyncio.Event().wait()

    assert "within 0.02 s" in acted(hang, seconds=100).text


def test_cancelling_from_outside_is_a_cancellation() -> None:
    begun = asyncio.Event()

    @tool
    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def run() -> None:
        task = asyncio.ensure_future(act(hang))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_threads_see_the_context_of_the_call() -> None:
    name = contextvars.ContextVar("name", default="nobody")

    @tool
    def who() -> str:
        return name.get()

    async def run() -> str:
        name.set("ada")
        return (await act(who)).text

    assert asyncio.run(run()) == "ada"


def test_a_function_that_gives_an_awaitable_is_awaited() -> None:
    async def later() -> str:
        return "awaited"

    @tool
    def give() -> Any:
        return later()

    assert acted(give).text == "awaited"


def test_tools_that_run_here_take_turns_and_one_may_start_another() -> None:
    seen: list[str] = []

    @tool(here=True)
    async def code(name: str, inner: bool = False) -> None:
        seen.append(f"{name} begins")
        await asyncio.sleep(0)
        if inner:
            await act(code, name="inner")
        seen.append(f"{name} ends")

    async def run() -> None:
        await asyncio.gather(act(code, name="one", inner=True), act(code, name="two"))

    asyncio.run(asyncio.wait_for(run(), 5))
    assert seen == ["one begins", "inner begins", "inner ends", "one ends", "two begins", "two ends"]


def test_waiting_for_ones_turn_does_not_count_against_the_limit() -> None:
    @tool(here=True)
    async def code() -> str:
        await asyncio.sleep(0.1)
        return "in time"

    async def run() -> list[Output]:
        return await asyncio.gather(*[act(code, seconds=1) for _ in range(12)])

    assert [output.text for output in asyncio.run(run())] == ["in time"] * 12


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ("", {}),
        ("{}", {}),
        ('{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ('{"a": "\\ud800b"}', {"a": "?b"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_arguments_are_parsed(arguments: str, value: dict[str, Any]) -> None:
    assert parse(arguments) == value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{", "not valid JSON"),
        ("[1]", "must be one JSON object"),
        ("null", "must be one JSON object"),
        ('"text"', "must be one JSON object"),
        ('{"a": NaN}', "not valid JSON"),
        ('{"a": 1e999}', "not valid JSON"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ('{"a": ' + "[" * 101 + "]" * 101 + "}", "nested too deeply"),
        ("{'a': 1}", "not valid JSON"),
        ('{"a": 1} {"b": 2}', "not valid JSON"),
    ],
)
def test_arguments_that_are_none_say_so(arguments: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(arguments)


def test_clipping_keeps_both_ends() -> None:
    assert clip("short") == "short"
    assert clip("a" * 10 + "b" * 80 + "c" * 10, 20) == "a" * 10 + "\n… 80 characters left out …\n" + "c" * 10


def test_a_tool_that_survives_its_cancellation_is_still_reported_late() -> None:
    @tool
    async def stubborn() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "finished after all"

    began = time.perf_counter()
    assert acted(stubborn, seconds=0.05).text == "finished after all"
    assert time.perf_counter() - began < 5


def test_calling_a_tool_calls_its_function() -> None:
    @tool
    def double(x: int) -> int:
        return 2 * x

    assert isinstance(double, Tool)
    assert double(4) == double.function(4) == 8
