"""Pause and stop: what is under way, what is left for later, and what is kept."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.runs.hesitant import begun, hesitating, stopped
from tests.support.calls import call
from tests.support.sessions import approve, kinds, opened, ran, resumed

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import PauseRun, StopRun
from assent.core.errors import ConfigError, StoreError
from assent.core.events import Kind, Scope, current_user
from assent.core.model import Request
from assent.runs import stopping
from assent.tools.tool import Tool, tool


def held(effects: list[str], **options: Any) -> tuple[Tool[..., Any], asyncio.Event]:
    """A tool that has its effect at once and comes back when it is released."""
    released = asyncio.Event()

    @tool(**{"privilege": "execute_safe", **options})
    async def act(name: str) -> str:
        """Act."""
        effects.append(name)
        await released.wait()
        return f"did {name}"

    return act, released


def test_a_pause_lets_the_model_end_its_answer_and_begins_nothing_more(tmp_path: Path) -> None:
    effects: list[str] = []
    act, released = held(effects)
    released.set()

    def says(request: Request) -> Any:
        pausing.append(session.pause(next(iter(session._work.live))))
        return call("act", name="a")

    pausing: list[str] = []
    with opened(tmp_path, call("act", name="first"), says, "done", tools=(act,)) as session:
        result = ran(session, act)
        assert (pausing, result.status, effects) == (["running"], "paused", ["first"])
        assert kinds(session, result.run)[-3:] == [Kind.STOP_REQUESTED, Kind.MODEL_ANSWERED, Kind.RUN_PAUSED]
        assert resumed(session, result.run).text == "done"
    assert effects == ["first", "a"]


def test_a_final_answer_that_is_whole_is_not_kept_back(tmp_path: Path) -> None:
    async def act(session: Session, run: str) -> None:
        await model.begun.wait()
        assert await asyncio.to_thread(session.pause, run) == "running"
        model.released.set()

    with hesitating(tmp_path) as (session, model):
        result = begun(session, Kind.RUN_STARTED, act)
    assert (result.status, result.text, result.partial) == ("finished", "Half an answer is whole.", False)


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("cancel", "cancelled")])
@pytest.mark.parametrize("seconds", [0, 0.05])
def test_what_the_model_had_said_is_a_partial_result(tmp_path: Path, verb: str, status: str, seconds: float) -> None:
    async def act(session: Session, run: str) -> None:
        await model.begun.wait()
        getattr(session, verb)(run, seconds=seconds)

    with hesitating(tmp_path) as (session, model):
        result = begun(session, Kind.RUN_STARTED, act)
        assert (result.status, result.text, result.partial) == (status, "Half an answer", True)
        assert session.result(result.run).outcome == "Half an answer"
        assert stopped(session, result.run).body["by"] == session.journal.events(result.run)[0].user
        model.released.set()
        again = resumed(session, result.run)
    assert (again.status, again.text, again.partial) == ("finished", "Half an answer is whole.", False)


def test_tables_that_calls_had_given_are_a_partial_result(tmp_path: Path) -> None:
    act, _ = held([])

    @tool(privilege="read_only")
    def table() -> Any:
        """A table."""
        return pd.DataFrame({"n": [1, 2]})

    async def stop(session: Session, run: str) -> None:
        session.cancel(run)

    with opened(tmp_path, call("table"), call("act", name="a"), tools=(table, act)) as session:
        result = begun(session, Kind.CALL_STARTED, lambda s, r: asyncio.sleep(0), table, act, max_steps=1)
        assert (result.status, result.partial, list(result.value["n"])) == ("failed", True, [1, 2])
    with opened(tmp_path, [call("table"), call("act", name="a")], tools=(table, act)) as session:
        result = begun(session, Kind.CALL_FINISHED, stop, table, act)
        assert (result.status, result.partial, list(result.value["n"])) == ("cancelled", True, [1, 2])


def test_calls_that_have_begun_end_and_the_others_are_left_for_later(tmp_path: Path) -> None:
    effects: list[str] = []
    act, released = held(effects)

    async def pause(session: Session, run: str) -> None:
        session.pause(run)
        released.set()

    batch = [call("act", name=name) for name in "abc"]
    with opened(tmp_path, batch, "done", tools=(act,)) as session:
        result = begun(session, Kind.CALL_STARTED, pause, act)
        assert (result.status, effects) == ("paused", ["a"])
        assert resumed(session, result.run).status == "finished"
    assert effects == ["a", "b", "c"]


@pytest.mark.parametrize("seconds", [0, 0.05])
def test_a_call_that_was_cut_off_is_asked_about_and_not_repeated(tmp_path: Path, seconds: float) -> None:
    effects: list[str] = []
    act, _ = held(effects)

    async def pause(session: Session, run: str) -> None:
        session.pause(run, seconds=seconds)

    with opened(tmp_path, call("act", name="a"), "done", tools=(act,)) as session:
        run = begun(session, Kind.CALL_STARTED, pause, act).run
        assert Kind.CALL_FINISHED not in kinds(session, run)
        again = resumed(session, run)
        assert (again.status, [item.unknown for item in again.pending]) == ("suspended", [True])
        approve(session, f"{run}.1", outcome="it did")
        assert resumed(session, run).status == "finished"
    assert effects == ["a"]


def test_an_idempotent_call_that_was_cut_off_is_repeated(tmp_path: Path) -> None:
    effects: list[str] = []
    act, released = held(effects, idempotent=True)

    async def pause(session: Session, run: str) -> None:
        session.pause(run, seconds=0)

    with opened(tmp_path, call("act", name="a"), "done", tools=(act,)) as session:
        run = begun(session, Kind.CALL_STARTED, pause, act).run
        released.set()
        assert resumed(session, run).status == "finished"
    assert effects == ["a", "a"]


def risky(effects: list[str]) -> Tool[..., Any]:
    @tool
    def risk() -> None:
        """Take a risk."""
        effects.append("risked")

    return risk


def test_an_approval_of_a_paused_run_is_recorded_and_not_acted_upon(tmp_path: Path) -> None:
    effects: list[str] = []
    risk = risky(effects)

    async def pause(session: Session, run: str) -> None:
        await asyncio.to_thread(session.pause, run)

    with opened(tmp_path, call("risk"), "done", tools=(risk,)) as session:
        result = begun(session, Kind.CALL_DECIDED, pause, risk, on_ask="wait", wait=10)
        assert (result.status, len(session.pending(result.run))) == ("paused", 1)
        approve(session, f"{result.run}.1")
        assert (session.state(result.run).status, effects) == ("paused", [])
        assert resumed(session, result.run).status == "finished"
    assert effects == ["risked"]


def test_a_run_that_nobody_works_on_is_marked(tmp_path: Path) -> None:
    risk = risky([])
    with opened(tmp_path, call("risk"), "done", tools=(risk,)) as session:
        run = ran(session, risk).run
        assert session.pause(run[:4], "lunch") == "paused"
        assert (session.state(run).reason, session.result(run).status) == ("lunch", "paused")
        assert session.sql("SELECT status, reason FROM runs").values.tolist() == [["paused", "lunch"]]
        with pytest.raises(ConfigError, match="is paused; there is nothing to pause"):
            session.pause(run)
        assert session.cancel(run) == "cancelled"
        with pytest.raises(ConfigError, match="is cancelled; there is nothing to pause"):
            session.pause(run)
        with pytest.raises(ConfigError, match="no number of seconds"):
            session.cancel(run, seconds=-1)


def test_the_commands_do_the_same(tmp_path: Path) -> None:
    async def send(session: Session, command: Any) -> None:
        assert [item async for item in session.submit(command)] == []

    with opened(tmp_path, call("risk"), "done", tools=(risky([]),)) as session:
        run = ran(session, "risk").run
        asyncio.run(send(session, PauseRun(run)))
        assert session.state(run).status == "paused"
        asyncio.run(send(session, StopRun(run, "enough")))
        assert (session.state(run).status, session.state(run).reason) == ("cancelled", "enough")


def test_the_latest_wish_holds(tmp_path: Path) -> None:
    async def act(session: Session, run: str) -> None:
        session.pause(run, seconds=30)
        session.cancel(run, "enough")

    with opened(tmp_path, call("act", name="a"), tools=(held([])[0],)) as session:
        result = begun(session, Kind.CALL_STARTED, act, "act")
        assert (result.status, result.reason) == ("cancelled", "enough")
        assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


@pytest.mark.parametrize("seconds", [0, 0.1])
def test_code_that_holds_up_the_event_loop_is_broken_into(tmp_path: Path, seconds: float) -> None:
    @tool(privilege="execute_safe", here=True)
    def spin() -> None:
        """Hold everything up."""
        time.sleep(30)

    with opened(tmp_path, call("spin"), tools=(spin,)) as session:

        def pause(events: Any) -> None:
            for event in events:
                if event.kind is Kind.CALL_STARTED:  # the writer's thread must not wait for itself
                    threading.Thread(target=session.pause, args=(event.run,), kwargs={"seconds": seconds}).start()

        session.journal.subscribe(pause)
        began = time.monotonic()
        assert ran(session, spin).status == "paused"
        assert time.monotonic() - began < 5


# A run at work in another kernel: the journal says that it runs, and it is not at work here


def elsewhere(session: Session) -> Scope:
    scope = Scope(run="faraway", agent="analyst", user=current_user())
    body = {"prompt": "Go.", "agent": Agent().to_json()}
    session.journal.append([scope.event(Kind.RUN_STARTED, model="m", body=body)]).result()
    return scope


@pytest.mark.parametrize(("verb", "kind"), [("pause", Kind.RUN_PAUSED), ("cancel", Kind.RUN_CANCELLED)])
def test_another_kernel_is_asked(tmp_path: Path, verb: str, kind: Kind) -> None:
    with opened(tmp_path) as session:
        scope = elsewhere(session)

        def other(events: Any) -> None:
            for event in events:
                if event.kind is Kind.STOP_REQUESTED:
                    session.journal.post([scope.event(kind, body=stopping.requested(event).why())])

        session.journal.subscribe(other)
        status = getattr(session, verb)("faraway", "enough")
        assert (status, session.state("faraway").reason) == (kind.value.removeprefix("run_"), "enough")


def test_another_kernel_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "ANSWERS_WITHIN", 0.1)
    with opened(tmp_path) as session:
        elsewhere(session)
        with pytest.raises(ConfigError, match="in another kernel, which does not answer"):
            session.cancel("faraway")
        assert session.pause("faraway") == "running"  # it may take its time
        assert kinds(session, "faraway") == [Kind.RUN_STARTED, Kind.STOP_REQUESTED, Kind.STOP_REQUESTED]


def test_a_run_at_work_is_stopped_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreError("The disk is full.")

    async def stop(session: Session, run: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(stopping, "ask", full)
            assert session.cancel(run) == "running"

    with opened(tmp_path, call("act", name="a"), tools=(held([])[0],)) as session:
        assert begun(session, Kind.CALL_STARTED, stop, "act").status == "cancelled"
        monkeypatch.setattr(stopping, "ask", full)
        with pytest.raises(StoreError):
            session.cancel(session.sql("SELECT run FROM runs").iloc[0, 0])


def test_a_stop_that_comes_while_a_suspension_is_written_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, call("risk"), tools=(risky([]),)) as session:
        whole = session.journal.committed

        def committed(events: Any) -> Any:
            if events[0].kind is Kind.RUN_SUSPENDED:
                session._work.live[events[0].run].run.stopping = stopping.Stop("cancel", "enough")
            return whole(events)

        monkeypatch.setattr(session.journal, "committed", committed)
        run = ran(session, "risk").run
        session.journal.append([]).result()
        assert kinds(session, run)[-2:] == [Kind.RUN_SUSPENDED, Kind.RUN_CANCELLED]
        assert (session.state(run).reason, session.pending()) == ("enough", [])
