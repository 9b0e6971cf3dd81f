"""The session: one door for commands, answers from any thread, agents and runs that outlive the process."""

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support.calls import call
from tests.support.sessions import approve, kinds, opened, ran, results, resumed, started, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun, StopRun
from assent.core.config import Config
from assent.core.errors import ConfigError, ModelError, NotFound, QueryError, StoreError
from assent.core.events import ENDINGS, Event, Kind, Progress
from assent.models.scripted import ScriptedModel, Turn
from assent.store import cut_off
from assent.tools.tool import tool


@tool(privilege="read_only")
def look() -> str:
    return "saw"


@tool(privilege="execute_risky")
def risk(x: int = 0) -> str:
    return f"risked {x}"


async def items(session: Session, command: Any) -> list[Event | Progress]:
    return [item async for item in session.submit(command)]


def test_the_default_agent_has_the_built_in_tools(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]})
    script = [call("sql", query="SELECT sum(a) AS s FROM numbers")], [call("python", code="1")], "six"
    with opened(tmp_path, *script, namespace={"numbers": frame}) as session:
        result = asyncio.run(session.run("analyst", "What is the sum?"))
        assert (result.status, [item.tool for item in result.pending]) == ("suspended", ["python"])
        assert results(session, result.run)[0].text == "s\n6"
        approve(session, result.pending[0].call)
        assert resumed(session, result.run).text == "six"


def test_the_result_of_a_run_is_its_last_table(tmp_path: Path) -> None:
    script = [call("sql", query="SELECT 1 AS one"), call("look"), call("sql", query="SELECT 2 AS two")], "done"
    with opened(tmp_path, *script, tools=(look,)) as session:
        result = asyncio.run(session.run(Agent(tools=("sql", "look")), "Go."))
        assert result.value.to_dict("records") == [{"two": 2}]
        assert session.result(result.run).value.to_dict("records") == [{"two": 2}]
    with opened(tmp_path) as session:
        assert session.result(result.run).value is None


@pytest.mark.parametrize(
    ("command", "error", "message"),
    [
        (StartRun("Go.", "nobody"), NotFound, "There is no agent 'nobody'; there are analyst"),
        (StartRun("Go.", Agent(tools=("hammer", "sql", "saw"))), NotFound, "needs the tool hammer, saw, which is not"),
        (StartRun("Go.", model="nobody:nothing"), NotFound, "There is no model 'nobody:nothing'"),
        (ResumeRun("zzz"), NotFound, "There is no run 'zzz'"),
        (StopRun("zzz"), NotFound, "There is no run 'zzz'"),
    ],
)
def test_what_is_wrong_with_a_command_is_said_before_anything_happens(
    tmp_path: Path, command: Any, error: type[Exception], message: str
) -> None:
    with opened(tmp_path, "done") as session:
        with pytest.raises(error, match=message):
            asyncio.run(items(session, command))
        assert session.journal.select("SELECT count(*) FROM events") == [(0,)]
        assert not session._work.live


def test_a_stream_is_in_order_and_ends_with_the_end(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look"), call("look")], "A rather long answer in several pieces.") as session:
        heard = asyncio.run(items(session, started(look)))
        events = [item for item in heard if isinstance(item, Event)]
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.kind for event in events] == kinds(session, events[0].run or "")
        assert [event.kind in ENDINGS for event in events] == [False] * (len(events) - 1) + [True]
        assert heard[0] is events[0]
        assert heard[-1] is events[-1]
        for step in (1, 2):
            deltas = [n for n, item in enumerate(heard) if isinstance(item, Progress) and item.step == step]
            [answered] = [
                n
                for n, item in enumerate(heard)
                if isinstance(item, Event) and item.kind is Kind.MODEL_ANSWERED and item.step == step
            ]
            before = [n for n, item in enumerate(heard) if isinstance(item, Event) and (item.step or 99) < step]
            assert deltas
            assert max([*before, -1]) < min(deltas) <= max(deltas) < answered
        said = "".join(item.delta.text for item in heard if isinstance(item, Progress) and item.step == 2)
        assert said == "A rather long answer in several pieces."


def test_what_a_stream_shows_is_in_the_journal_already(tmp_path: Path) -> None:
    async def run(session: Session) -> int:
        seen = 0
        async for item in session.submit(started(look)):
            if isinstance(item, Event):
                [(there,)] = session.journal.select("SELECT count(*) FROM events WHERE hash = ?", [item.hash])
                seen += there
        return seen

    with opened(tmp_path, [call("look")], "done") as session:
        assert asyncio.run(run(session)) == 7


def test_two_runs_at_once_in_one_session_keep_to_themselves(tmp_path: Path) -> None:
    async def both(session: Session) -> list[list[Event | Progress]]:
        return await asyncio.gather(*[items(session, started(look, prompt=str(number))) for number in range(2)])

    def answer(request: Any) -> str:
        return f"answer to {request.messages[1].text}"

    with opened(tmp_path, Turn([call("look")], delay=0.02), Turn(answer, delay=0.02)) as session:
        streams = asyncio.run(both(session))
        names = [{item.run for item in stream} for stream in streams]
        assert len(names[0]) == len(names[1]) == 1
        assert names[0] != names[1]
        ends = [stream[-1] for stream in streams]
        assert [end.body["text"] for end in ends if isinstance(end, Event)] == ["answer to 0", "answer to 1"]
        assert session.journal.verify() == 14


def test_it_works_on_the_loop_of_a_background_thread_and_is_answered_from_the_main_one(tmp_path: Path) -> None:
    asked = threading.Event()
    outcome: list[Any] = []

    async def run(session: Session) -> None:
        async for item in session.submit(started(risk, on_ask="wait", wait=10)):
            if isinstance(item, Event) and item.kind is Kind.CALL_DECIDED:
                asked.set()
            outcome.append(item)

    with opened(tmp_path, call("risk", x=1), "done") as session:
        thread = threading.Thread(target=lambda: asyncio.run(run(session)))
        thread.start()
        assert asked.wait(10)
        [item] = session.pending()
        approve(session, item.call, arguments={"x": 2})
        thread.join(10)
        assert outcome[-1].kind is Kind.RUN_FINISHED
        assert results(session, item.run)[0].text == "risked 2"


def test_two_loops_of_two_threads_share_a_session(tmp_path: Path) -> None:
    ends: list[str] = []
    with opened(tmp_path, [call("look")], Turn("done", delay=0.05)) as session:
        threads = [threading.Thread(target=lambda: ends.append(ran(session, look).status)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert ends == ["finished"] * 4
        assert session.journal.verify() == 28


def test_a_wait_is_bounded_and_then_the_run_is_suspended(tmp_path: Path) -> None:
    with opened(tmp_path, call("risk"), "done") as session:
        result = ran(session, risk, on_ask="wait", wait=0.05)
        assert result.status == "suspended"
        assert result.reason == f"nobody answered within 0.05 s; waiting for approval: {result.run}.1"


def test_an_answer_that_comes_while_it_waits_is_heard_at_once(tmp_path: Path) -> None:
    async def run(session: Session) -> str:
        stream = session.submit(started(risk, on_ask="wait", wait=15))
        for number in (1, 2):
            event = await until(stream, Kind.CALL_DECIDED, "ask")
            assert event.call == f"{event.run}.{number}"
            session.decide(Decide(event.call or "", "approve"))  # on the loop's own thread
        return (await until(stream, Kind.RUN_FINISHED)).body["text"]  # type: ignore[no-any-return]  # a body holds JSON

    with opened(tmp_path, [call("risk")], [call("risk")], "done") as session:
        assert asyncio.run(run(session)) == "done"


def test_of_answers_through_two_sessions_at_once_the_first_wins(tmp_path: Path) -> None:
    with opened(tmp_path, call("risk"), "done") as one, opened(tmp_path, tools=(risk,)) as other:
        name = ran(one, risk).run
        gate, taken, late = threading.Barrier(10), [], []

        def answer(session: Session) -> None:
            gate.wait()
            try:
                taken.append(approve(session, f"{name}.1"))
            except NotFound as error:
                late.append(error)

        threads = [threading.Thread(target=answer, args=(session,)) for session in (one, other) * 5]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(taken), len(late)) == (1, 9)


def test_an_agent_that_was_defined_is_there_in_later_sessions(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        session.define(Agent(name="cleaner", instructions="Clean.", tools=(look,), policy={"look": "ask"}))
        session.define(Agent(name="cleaner", instructions="Clean well.", tools=(look,)))
    with opened(tmp_path, "done", tools=(look,), config=Config(agents=(Agent(name="counter"),))) as session:
        assert set(session.agents()) == {"analyst", "cleaner", "counter"}
        assert session.agents()["cleaner"] == Agent(name="cleaner", instructions="Clean well.", tools=("look",))
        assert asyncio.run(session.run("cleaner", "Go.")).status == "finished"


def test_an_agent_given_once_does_not_take_the_place_of_a_named_one(tmp_path: Path) -> None:
    with opened(tmp_path, "done") as session:
        asyncio.run(session.run(Agent(name="analyst", tools=()), "Go."))
        assert session.agents()["analyst"].tool_names == ("sql", "python")


def test_tools_of_the_namespace_are_found_by_name_and_nobody_takes_a_built_in_ones(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {}
    with opened(tmp_path, [call("look")], "done", namespace=namespace) as session:
        agent = Agent(tools=("look",))
        with pytest.raises(NotFound, match="needs the tool look"):
            asyncio.run(session.run(agent, "Go."))
        namespace["anything"] = look
        assert asyncio.run(session.run(agent, "Go.")).status == "finished"

        @tool(name="python", privilege="read_only")
        def harmless(code: str) -> None: ...

        with pytest.raises(ConfigError, match="'python' is a built-in tool"):
            session.add_tool(harmless)
        namespace["mine"] = harmless
        assert session.tools()["python"].privilege == "execute_risky"


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    with opened(tmp_path, [call("risk")], "done") as session:
        one, other = (ran(session, risk).run for _ in range(2))
        length = next(n for n in range(1, 11) if not other.startswith(one[:n]))
        assert session.find(one[:length]) == one
        assert resumed(session, one[:length], on_ask="deny").status == "finished"
        assert session.find(other) == other
        for vague in ("", "%", "_" * 10):
            with pytest.raises(NotFound, match="There is no run"):
                session.find(vague)
        event = Event(kind=Kind.RUN_STARTED, run=f"{one}x", body={"prompt": "", "agent": {}})
        session.journal.append([event]).result()
        with pytest.raises(NotFound, match=f"More than one run begins with '{one[:length]}'"):
            session.find(one[:length])


@pytest.mark.parametrize("status", ["suspended", "finished", "cancelled"])
def test_stopping_a_run_that_is_not_at_work(tmp_path: Path, status: str) -> None:
    with opened(tmp_path, *([call("risk")] if status != "finished" else []), "done") as session:
        name = ran(session, risk).run
        if status == "suspended":
            assert asyncio.run(items(session, StopRun(name, "no longer needed"))) == []
            assert session.state(name).reason == "no longer needed"
            assert session.pending() == []
            return
        if status == "cancelled":
            session.cancel(name)
        with pytest.raises(ConfigError, match=f"is {status}; there is nothing to stop"):
            session.cancel(name)


def test_a_run_that_has_finished_or_is_at_work_is_not_resumed(tmp_path: Path) -> None:
    async def twice(session: Session) -> None:
        stream = session.submit(started(look))
        first = await until(stream, Kind.RUN_STARTED)
        with pytest.raises(ConfigError, match="is at work already"):
            await items(session, ResumeRun(first.run or ""))
        await stream.aclose()

    with opened(tmp_path, Turn("late", delay=30)) as session:
        asyncio.run(twice(session))
    with opened(tmp_path, "done") as session:
        name = ran(session, look).run
        with pytest.raises(ConfigError, match="has finished; there is nothing to resume"):
            resumed(session, name)


def test_a_run_that_was_cut_off_is_suspended_when_the_workspace_is_opened_again(tmp_path: Path) -> None:
    async def leave(session: Session) -> str:
        stream = session.submit(started(look))
        name = (await until(stream, Kind.RUN_STARTED)).run or ""
        session.journal.close()  # as if the process had ended here
        with contextlib.suppress(StoreError):
            await stream.aclose()
        return name

    with opened(tmp_path, Turn("late", delay=30)) as session:
        name = asyncio.run(leave(session))
    with opened(tmp_path, "at last", tools=(look,)) as session:
        assert (session.state(name).status, session.state(name).reason) == ("suspended", cut_off.REASON)
        assert resumed(session, name).text == "at last"
    with opened(tmp_path, tools=(look,)) as session:
        assert session.state(name).status == "finished"


def test_a_cut_off_run_that_cannot_be_read_keeps_the_workspace_open(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        event = Event(kind=Kind.RUN_STARTED, run="odd", agent="a", body={"prompt": "", "agent": {"shape": "of later"}})
        session.journal.append([event]).result()
    with opened(tmp_path) as session:
        assert session.journal.select("SELECT status, agent FROM runs") == [("suspended", "a")]


def test_a_second_session_of_the_process_leaves_the_firsts_runs_alone(tmp_path: Path) -> None:
    async def run(session: Session) -> str:
        stream = session.submit(started(look))
        first = await until(stream, Kind.RUN_STARTED)
        with opened(tmp_path, tools=(look,)) as other:
            assert other.state(first.run or "").status == "running"
        return (await until(stream, Kind.RUN_FINISHED)).body["text"]  # type: ignore[no-any-return]  # a body holds JSON

    with opened(tmp_path, Turn("done", delay=0.2)) as session:
        assert asyncio.run(run(session)) == "done"


def test_a_journal_that_failed_while_another_run_was_at_work_opens_again(tmp_path: Path) -> None:
    poison = Event(kind=Kind.MODEL_FAILED, run="other", step=2**40)  # the column has 32 bits

    async def run(session: Session) -> None:
        stream = session.submit(started(look))
        await until(stream, Kind.RUN_STARTED)
        with pytest.raises(StoreError):
            await asyncio.wrap_future(session.journal.append([poison]))
        with pytest.raises(StoreError):  # the first run is at work, so its journal is not opened again yet
            await items(session, started(look))
        with pytest.raises(StoreError):
            await until(stream, Kind.RUN_FINISHED)
        assert (await items(session, started(look)))[-1].kind is Kind.RUN_FINISHED  # type: ignore[union-attr]  # the last is an event

    with opened(tmp_path, Turn("done", delay=0.5)) as session:
        asyncio.run(run(session))
        assert session.journal.verify() > 0


def test_sql_reads_the_views_and_the_namespace_and_nothing_else(tmp_path: Path) -> None:
    people = pd.DataFrame({"agent": ["tester"], "team": ["north"]})
    with opened(tmp_path, [call("risk")], "done", namespace={"people": people}) as session:
        ran(session, risk)
        frame = session.sql("SELECT team, status, calls FROM runs JOIN people USING (agent)")
        assert frame.to_dict("records") == [{"team": "north", "status": "suspended", "calls": 1}]
        assert len(session.sql("SELECT * FROM approvals WHERE verdict = 'pending'")) == 1
        assert session.sql("SELECT status FROM tool_calls")["status"].item() == "waiting"
        assert session.sql("SELECT sum(input_tokens) AS n FROM costs")["n"].item() == 10
        with pytest.raises(QueryError, match="Only reading is allowed"):
            session.sql("DELETE FROM events")


def test_the_model_is_the_commands_then_the_agents_then_the_sessions_own(tmp_path: Path) -> None:
    models = [ScriptedModel(["first"], "scripted:one"), ScriptedModel(["second"], "scripted:two")]
    session = Session(prepare(tmp_path), config=Config(), models=models)
    agent = Agent(name="a", tools=(), model="scripted:two")
    assert asyncio.run(session.run(Agent(name="b", tools=()), "Go.")).text == "first"
    assert asyncio.run(session.run(agent, "Go.")).text == "second"
    assert asyncio.run(session.run(agent, "Go.", model="scripted:one")).text == "first"
    assert session.sql("SELECT DISTINCT model FROM costs ORDER BY 1")["model"].tolist() == [
        "scripted:one",
        "scripted:two",
    ]
    session.close()


def test_a_run_goes_on_with_another_model_and_stays_with_it(tmp_path: Path) -> None:
    gone, there = ModelError("The model is gone: choose another."), call("risk", x=1)
    models = [ScriptedModel([call("look"), gone], "scripted:one"), ScriptedModel(["", there, "done"], "scripted:two")]
    session = Session(prepare(tmp_path), config=Config(), models=models)
    failed = asyncio.run(session.run(Agent(name="a", tools=(look, risk)), "Go."))
    assert (failed.status, failed.reason) == ("failed", "The model is gone: choose another.")
    with pytest.raises(NotFound, match="nobody:m"):
        resumed(session, failed.run, model="nobody:m")
    assert resumed(session, failed.run, model="scripted:two").status == "suspended"
    approve(session, f"{failed.run}.2")
    assert resumed(session, failed.run).text == "done"
    said = session.sql("SELECT model FROM steps ORDER BY step")["model"].tolist()
    assert said == ["scripted:one", "scripted:two", "scripted:two"]
    session.close()


def test_closing_twice_is_as_good_as_once_and_then_it_says_so(tmp_path: Path) -> None:
    with opened(tmp_path, "done") as session:
        session.close()
        session.close()
        with pytest.raises(StoreError, match="closed"):
            ran(session, look)
        with pytest.raises(StoreError, match="closed"):
            session.pending()


def test_closing_cuts_off_what_is_at_work_though_its_loop_is_gone(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    with opened(tmp_path, Turn("late", delay=30)) as session:
        stream = session.submit(started(look))
        name = loop.run_until_complete(until(stream, Kind.RUN_STARTED)).run or ""
        tasks = asyncio.all_tasks(loop)
        loop.close()
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # nothing can run any more, and that is the case
    with opened(tmp_path, "at last", tools=(look,)) as session:
        assert session.state(name).reason == cut_off.REASON
