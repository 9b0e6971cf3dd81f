"""The loop: batches, limits, failures; every end is recorded and can be resumed."""

import asyncio
import gc
import warnings
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import kinds, opened, ran, results, resumed, started, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.errors import ModelError, StoreError
from assent.core.events import Event, Kind
from assent.core.messages import Text, ToolCall, ToolResult
from assent.core.model import Request
from assent.models.scripted import ScriptedModel, Turn
from assent.tools.tool import Output, Tool, tool


@tool(privilege="read_only")
def look(x: int = 0) -> str:
    return f"saw {x}"


@tool(privilege="execute_risky")
def risk(x: int = 0) -> str:
    return f"risked {x}"


def counting(limit: list[int]) -> Tool[..., Any]:
    """A tool that notes in `limit` how many of its calls were at work at once, at most."""
    at_work = 0

    @tool(privilege="execute_safe")
    async def work() -> None:
        nonlocal at_work
        at_work += 1
        limit.append(at_work)
        for _ in range(5):
            await asyncio.sleep(0)
        at_work -= 1

    return work


def test_a_run_without_calls_is_one_step(tmp_path: Path) -> None:
    with opened(tmp_path, "  Forty-two. ") as session:
        result = ran(session)
        assert (result.status, result.text, result.reason) == ("finished", "Forty-two.", "")
        assert kinds(session, result.run) == [Kind.RUN_STARTED, Kind.MODEL_ANSWERED, Kind.RUN_FINISHED]


def test_results_reach_the_model_in_the_order_of_its_calls(tmp_path: Path) -> None:
    told: list[str] = []

    def last(request: Request) -> str:
        told.extend(part.text for part in request.messages[-1].parts if isinstance(part, ToolResult))
        return "done"

    with opened(tmp_path, [call("look", x=1), call("look", x=2), call("look", x=3)], last) as session:
        result = ran(session, look)
        assert result.status == "finished"
    assert told == ["saw 1", "saw 2", "saw 3"]


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (3, 3), (20, 8)])
def test_calls_run_together_under_the_limit(tmp_path: Path, parallel: int, most: int) -> None:
    at_once: list[int] = []
    with opened(tmp_path, [call("work")] * 8, "done") as session:
        assert ran(session, counting(at_once), parallel=parallel).status == "finished"
    assert len(at_once) == 8
    assert max(at_once) == most


def test_the_whole_batch_is_decided_before_anything_in_it_runs(tmp_path: Path) -> None:
    batch = [call("look", x=1), call("risk"), call("look", x=2), call("nothing")]
    with opened(tmp_path, batch, "done") as session:
        result = ran(session, look, risk)
        assert result.status == "suspended"
        assert [item.tool for item in result.pending] == ["risk"]
        assert Kind.CALL_STARTED not in kinds(session, result.run)
        decisions = [event for event in session.journal.events(result.run) if event.kind is Kind.CALL_DECIDED]
        assert [event.decision for event in decisions] == ["allow", "ask", "allow", "deny"]
        done = resumed(session, result.run, on_ask="deny")
        assert done.status == "finished"
        assert [item.error for item in results(session, result.run)] == [False, True, False, True]


def test_without_anybody_to_ask_a_call_is_denied_if_so_configured(tmp_path: Path) -> None:
    with opened(tmp_path, call("risk"), "done") as session:
        result = ran(session, risk, on_ask="deny")
        assert result.status == "finished"
        [told] = results(session, result.run)
        assert (told.error, told.text) == (True, "Denied: this call needs a person, and there is nobody to ask.")
        assert session.pending() == []


CANNOT_RUN = [
    (ToolCall("1", "look", "{oops"), "Wrong arguments for look: the arguments are not valid JSON"),
    (ToolCall("1", "look", "[1]"), "Wrong arguments for look: the arguments must be one JSON object"),
    (ToolCall("1", "look", '{"x": NaN}'), "Wrong arguments for look: the arguments are not valid JSON"),
    (ToolCall("1", "look", "[" * 100_000), "Wrong arguments for look: the arguments are nested too deeply"),
    (ToolCall("1", "look", '{"x": "one"}'), "Wrong arguments for look: x: Input should be a valid integer"),
    (ToolCall("1", "look", '{"y": 1}'), "Wrong arguments for look: y: Extra inputs are not permitted"),
    (ToolCall("1", "risk", '{"y": 1}'), "Wrong arguments for risk: y: Extra inputs"),
    (ToolCall("1", "nothing", "{}"), "Denied: The agent has no tool 'nothing'; it has look, risk."),
    (ToolCall("1", "Look", "{}"), "Denied: The agent has no tool 'Look';"),
    (ToolCall("1", "", "{}"), "Denied: The agent has no tool '';"),
    (ToolCall("1", "half\ud800\0", "{}"), "Denied: The agent has no tool"),
    (ToolCall("1", "python", '{"code": "1"}'), "Denied: The agent has no tool 'python';"),
]


def test_a_call_that_cannot_run_is_told_so_and_asks_nobody(tmp_path: Path, subtests: pytest.Subtests) -> None:
    turns = iter([proposed for proposed, _ in CANNOT_RUN])
    with opened(tmp_path, lambda _: next(turns), "I see.") as session:
        for proposed, told in CANNOT_RUN:
            with subtests.test(ascii(proposed.name + proposed.arguments[:20])):
                result = ran(session, look, risk)
                assert (result.status, result.text) == ("finished", "I see.")
                [answer] = results(session, result.run)
                assert answer.error
                assert answer.text.startswith(told)
                assert Kind.CALL_STARTED not in kinds(session, result.run)
        assert session.journal.verify() > 0


def test_calls_without_ids_or_with_the_same_one_are_told_apart(tmp_path: Path) -> None:
    batch = [ToolCall("same", "look", '{"x": 1}'), ToolCall("same", "look", '{"x": 2}'), ToolCall("", "look", "{}")]
    with opened(tmp_path, batch, "done") as session:
        result = ran(session, look)
        told = results(session, result.run)
        assert [item.text for item in told] == ["saw 1", "saw 2", "saw 0"]
        assert len({item.id for item in told}) == 3
        proposed = [part.id for message in session.state(result.run).messages for part in message.calls]
        assert proposed == [item.id for item in told]


def test_the_step_limit_fails_the_run_and_a_resume_gives_as_many_more(tmp_path: Path) -> None:
    with opened(tmp_path, call("look"), call("look"), call("look"), "done") as session:
        result = ran(session, look, max_steps=2)
        assert result.status == "failed"
        assert result.reason == "There is no answer after 2 steps. Resume the run for as many more."
        again = resumed(session, result.run)
        assert (again.status, again.text) == ("finished", "done")
        assert len(results(session, result.run)) == 3


@pytest.mark.parametrize("says", [ModelError("The server is gone."), RuntimeError("a defect")])
def test_a_model_that_fails_fails_the_run_and_it_can_be_resumed(tmp_path: Path, says: Exception) -> None:
    outcomes: list[Any] = [says, "back again"]
    with opened(tmp_path, call("look", x=7), lambda request: outcomes.pop(0)) as session:
        result = ran(session, look)
        assert result.status == "failed"
        assert str(says) in result.reason
        again = resumed(session, result.run)
        assert (again.status, again.text) == ("finished", "back again")
        assert len(results(session, result.run)) == 1  # what was done is not done again


def test_a_stream_that_fails_in_its_middle_leaves_nothing_of_the_answer(tmp_path: Path) -> None:
    model = ScriptedModel([[Text("half an "), call("risk")], "whole"])
    whole = model.stream
    with closing(Session(prepare(tmp_path), config=Config(), models=[model])) as session:

        async def cut(request: Request) -> Any:
            async for item in whole(request):
                yield item
                raise ModelError("The connection broke.")

        model.stream = cut  # type: ignore[method-assign]  # the scripted model ends its streams properly
        result = ran(session, risk)
        assert (result.status, result.reason) == ("failed", "The connection broke.")
        assert len(session.state(result.run).messages) == 2
        model.stream = whole  # type: ignore[method-assign]  # and is itself again
        assert resumed(session, result.run).status == "suspended"


def test_a_run_that_was_cancelled_while_the_model_thinks_can_be_resumed(tmp_path: Path) -> None:
    thinks = asyncio.Event()

    def begun(request: Request) -> str:
        return "at last"

    async def run(session: Any) -> str:
        stream = session.submit(started(look))
        first = await until(stream, Kind.RUN_STARTED)
        session.stop(first.run)
        assert (await until(stream, Kind.RUN_CANCELLED)).body["reason"]
        return str(first.run)

    with opened(tmp_path, Turn(begun, delay=30)) as session:
        name = asyncio.run(run(session))
        assert session.state(name).status == "cancelled"
    assert not thinks.is_set()
    with opened(tmp_path, begun, tools=(look,)) as session:
        assert resumed(session, name).text == "at last"


def test_a_run_that_was_cancelled_in_a_tool_asks_about_it_when_it_is_resumed(tmp_path: Path) -> None:
    ended: list[str] = []

    @tool(privilege="execute_safe")
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    async def run(session: Any) -> str:
        stream = session.submit(started(hang, look))
        first = await until(stream, Kind.CALL_STARTED)
        session.stop(first.run)
        await until(stream, Kind.RUN_CANCELLED)
        return str(first.run)

    with opened(tmp_path, [call("hang"), call("hang")], "done", tools=(hang,)) as session:
        name = asyncio.run(run(session))
        assert ended
        assert all(word == "cleaned up" for word in ended)
        result = resumed(session, name)
        assert result.status == "suspended"
        assert [item.unknown for item in result.pending][: len(ended)] == [True] * len(ended)


def test_a_run_that_was_cancelled_while_it_waits_for_a_person_still_waits_when_it_is_resumed(tmp_path: Path) -> None:
    async def run(session: Any) -> str:
        stream = session.submit(started(risk, on_ask="wait", wait=30))
        asked = await until(stream, Kind.CALL_DECIDED)
        session.stop(asked.run)
        await until(stream, Kind.RUN_CANCELLED)
        return str(asked.run)

    with opened(tmp_path, call("risk"), "done") as session:
        name = asyncio.run(run(session))
        assert session.state(name).status == "cancelled"
        again = resumed(session, name)
        assert again.status == "suspended"
        assert [item.call for item in again.pending] == [f"{name}.1"]


def test_stopping_twice_ends_a_run_once(tmp_path: Path) -> None:
    async def run(session: Any) -> list[Kind]:
        stream = session.submit(started(look))
        first = await until(stream, Kind.RUN_STARTED)
        for _ in range(5):
            session.stop(first.run)
        await until(stream, Kind.RUN_CANCELLED)
        await stream.aclose()
        session.stop(first.run)
        return kinds(session, first.run or "")

    with opened(tmp_path, Turn("late", delay=30)) as session:
        assert asyncio.run(run(session)) == [Kind.RUN_STARTED, Kind.RUN_CANCELLED]


def test_a_run_in_a_task_that_was_cancelled_before_goes_on(tmp_path: Path) -> None:
    async def tidy(session: Session) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            result = await session.drain(started(look))
        return result.status

    async def run(session: Session) -> str:
        task = asyncio.ensure_future(_late(tidy(session)))
        await asyncio.sleep(0)
        task.cancel()
        return await task

    async def _late(work: Any) -> str:
        with suppress(asyncio.CancelledError):
            await work
        return "unknown"

    with opened(tmp_path, call("look"), "done", tools=(look,)) as session:
        asyncio.run(run(session))
        [run_id] = [event.run for event in session.journal.events(kind=Kind.RUN_STARTED)]
        assert session.state(run_id or "").status == "finished"


def test_calls_that_are_cancelled_before_they_begin_leave_nothing_behind(tmp_path: Path) -> None:
    begun = asyncio.Event()

    @tool(privilege="read_only")
    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def run(session: Session) -> None:
        task = asyncio.ensure_future(session.drain(StartRun("Go.", Agent(tools=("hang",), parallel=1))))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with opened(tmp_path, [call("hang"), call("hang"), call("hang")], tools=(hang,)) as session:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            asyncio.run(run(session))
            gc.collect()
        assert [str(item.message) for item in told] == []


def test_leaving_the_stream_cancels_the_run(tmp_path: Path) -> None:
    async def run(session: Any) -> str:
        stream = session.submit(started(look))
        first = await until(stream, Kind.RUN_STARTED)
        await stream.aclose()
        assert not session.live(first.run)
        return str(first.run)

    with opened(tmp_path, Turn("late", delay=30)) as session:
        assert session.state(asyncio.run(run(session))).status == "cancelled"


def test_cancelling_the_task_that_reads_cancels_the_run(tmp_path: Path) -> None:
    async def run(session: Any) -> None:
        task = asyncio.ensure_future(session.drain(started(look)))
        begun, here = asyncio.Event(), asyncio.get_running_loop()
        session.journal.subscribe(lambda events: here.call_soon_threadsafe(begun.set))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with opened(tmp_path, Turn("late", delay=30)) as session:
        asyncio.run(run(session))
        assert session.journal.select("SELECT status FROM runs") == [("cancelled",)]


def test_what_one_call_does_wrong_leaves_the_others_alone(tmp_path: Path) -> None:
    @tool(privilege="execute_safe")
    def fail() -> None:
        raise SystemExit(1)

    @tool(privilege="execute_safe")
    async def odd() -> Output:
        display: dict[Any, Any] = {("a", 1): float("nan"), "deep": object()}
        return Output("shown", display)

    with opened(tmp_path, [call("fail"), call("look", x=1), call("odd")], "done") as session:
        result = ran(session, fail, look, odd)
        assert (result.status, result.text) == ("finished", "done")
        failed, saw, shown = results(session, result.run)
        assert failed.text.startswith("fail raised RuntimeError: SystemExit 1")
        assert (saw.text, shown.text) == ("saw 1", "shown")
        assert session.journal.verify() > 0


def test_a_journal_that_fails_is_the_runs_error_and_it_can_be_resumed(tmp_path: Path) -> None:
    def poison(request: Request) -> str:
        event = Event(kind=Kind.MODEL_FAILED, run="other", step=2**40)  # the column has 32 bits
        session.journal.post([event])
        return "never recorded"

    with opened(tmp_path, call("work"), poison) as session:
        with pytest.raises(StoreError, match="could not be written"):
            ran(session, counting([]))
        [(name,)] = session.journal.select("SELECT run FROM runs")
        assert not session.live(name)
    with opened(tmp_path, call("work"), "recorded", tools=(counting([]),)) as session:
        assert session.state(name).reason == "the kernel that ran it stopped"
        assert resumed(session, name, on_ask="deny").text == "recorded"
        assert session.journal.verify() > 0
