"""A call that began and whose end nobody recorded: asked about, never silently repeated, unless it is idempotent."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, reject, results, resumed, started, until

from assent.core.commands import ResumeRun
from assent.core.errors import ConfigError
from assent.core.events import Kind
from assent.runs.propose import UNKNOWN
from assent.tools.tool import Tool, tool


class Act:
    """A tool that does its deed and, the first time, never comes back to tell."""

    def __init__(self, *, idempotent: bool = False, privilege: Any = "execute_safe") -> None:
        self.deeds = 0

        @tool(idempotent=idempotent, privilege=privilege)
        async def act() -> str:
            self.deeds += 1
            if self.deeds == 1:
                await asyncio.Event().wait()
            return f"deed {self.deeds}"

        self.tool: Tool[..., Any] = act


def cut_off(session: Any, act: Act) -> str:
    """The id of a run that was stopped in the middle of its one call."""

    async def run() -> str:
        stream = session.submit(started(act.tool))
        begun = await until(stream, Kind.CALL_STARTED)
        session.stop(begun.run)
        await until(stream, Kind.RUN_CANCELLED)
        return str(begun.run)

    return asyncio.run(run())


def test_it_is_asked_about(tmp_path: Path) -> None:
    act = Act()
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        result = resumed(session, name)
        assert result.status == "suspended"
        [asked] = session.pending()
        assert (asked.unknown, asked.grantable, asked.asks) == (True, False, UNKNOWN)
        assert resumed(session, name).status == "suspended"
        assert len(session.pending()) == 1  # resuming again asks no second time
        assert act.deeds == 1
        with pytest.raises(ConfigError, match="one by one"):
            approve(session, asked.call, scope="run")


def test_approved_it_runs_again(tmp_path: Path) -> None:
    act = Act()
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        resumed(session, name)
        approve(session, f"{name}.1")
        assert resumed(session, name).status == "finished"
        assert (act.deeds, results(session, name)[0].text) == (2, "deed 2")


def test_cut_off_again_it_is_asked_about_again(tmp_path: Path) -> None:
    act = Act()
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        for _ in range(2):
            assert resumed(session, name).status == "suspended"
            [asked] = session.pending()
            assert asked.unknown
            approve(session, asked.call)
            act.deeds = 0  # so that it hangs once more
            asyncio.run(stopped_in_the_call(session, name))
        assert resumed(session, name).status == "suspended"
        assert [item.unknown for item in session.pending()] == [True]


async def approved_and_cut_off(session: Any, act: Act) -> str:
    stream = session.submit(started(act.tool, on_ask="wait"))
    asked = await until(stream, Kind.CALL_DECIDED)
    approve(session, str(asked.call))
    await until(stream, Kind.CALL_STARTED)
    session.stop(asked.run)
    await until(stream, Kind.RUN_CANCELLED)
    return str(asked.run)


async def stopped_in_the_call(session: Any, name: str) -> None:
    stream = session.submit(ResumeRun(name))
    await until(stream, Kind.CALL_STARTED)
    session.stop(name)
    await until(stream, Kind.RUN_CANCELLED)


def test_rejected_it_does_not(tmp_path: Path) -> None:
    act = Act()
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        resumed(session, name)
        reject(session, f"{name}.1", "leave it")
        assert resumed(session, name).status == "finished"
        assert act.deeds == 1
        assert results(session, name)[0].text == (
            "This call was cut off after it had begun, and nobody recorded how it ended. "
            "The analyst says that it did not happen and must not: leave it"
        )


def test_what_did_happen_is_told_to_the_model_instead(tmp_path: Path) -> None:
    act = Act()
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        resumed(session, name)
        approve(session, f"{name}.1", outcome="It was done, by hand.")
        assert session.pending() == []
        assert resumed(session, name).status == "finished"
        [told] = results(session, name)
        assert told.text == "The analyst reports what this call did: It was done, by hand."
        assert (told.error, act.deeds) == (False, 1)


def test_an_idempotent_call_is_simply_repeated(tmp_path: Path) -> None:
    act = Act(idempotent=True)
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        assert resumed(session, name).status == "finished"
        assert (act.deeds, results(session, name)[0].text) == (2, "deed 2")


def test_a_read_only_call_is_simply_repeated(tmp_path: Path) -> None:
    act = Act(privilege="read_only")
    with opened(tmp_path, call("act"), "done") as session:
        assert resumed(session, cut_off(session, act)).status == "finished"
        assert act.deeds == 2


def test_without_anybody_to_ask_it_is_denied_not_repeated(tmp_path: Path) -> None:
    act = Act()
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        assert resumed(session, name, on_ask="deny").status == "finished"
        assert act.deeds == 1
        [told] = results(session, name)
        assert told.error
        assert "it may have happened" in told.text


def test_an_edit_would_be_another_act(tmp_path: Path) -> None:
    """What may have happened is settled first; under the same key, an edit could pass for the first act."""
    deeds: list[int] = []

    @tool(privilege="execute_safe")
    async def act(x: int) -> None:
        deeds.append(x)
        await asyncio.Event().wait()

    with opened(tmp_path, call("act", x=1), "done") as session:
        session.add_tool(act)
        cut = Act()
        cut.tool = act
        name = cut_off(session, cut)
        resumed(session, name)
        with pytest.raises(ConfigError, match="may have happened as it was"):
            approve(session, f"{name}.1", arguments={"x": 2})
        approve(session, f"{name}.1", arguments={"x": 1})  # as it was: no edit
        assert session.pending() == []
        assert deeds == [1]


def test_another_tool_of_that_name_does_not_repeat_it_unasked(tmp_path: Path) -> None:
    """An approval is for the tool that there was; and denied would say that it did not happen."""
    act = Act(idempotent=True, privilege="execute_risky")
    with opened(tmp_path, call("act"), "done", tools=(act.tool,)) as session:
        name = asyncio.run(approved_and_cut_off(session, act))

        @tool(name="act", idempotent=True)
        async def other() -> str:
            return "another deed"

        session.add_tool(other)
        assert resumed(session, name).status == "suspended"
        [asked] = session.pending()
        assert (asked.unknown, asked.asks) == (True, UNKNOWN)
        assert act.deeds == 1


def test_a_yes_to_running_it_again_is_not_for_another_tool_of_that_name(tmp_path: Path) -> None:
    act = Act()
    with opened(tmp_path, call("act"), "done") as session:
        name = cut_off(session, act)
        resumed(session, name)
        approve(session, f"{name}.1")

        @tool(name="act", privilege="execute_safe")
        async def other() -> str:
            return "another deed"

        session.add_tool(other)
        assert resumed(session, name).status == "suspended"
        assert [item.unknown for item in session.pending()] == [True]
