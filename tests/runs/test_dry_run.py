"""A dry run: what only reads runs, everything else is written down, and nothing gets it performed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.deeds import done
from tests.support.sessions import approve, opened, ran, reject, results, resumed
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import ForkRun, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.errors import AssentError, ConfigError
from assent.core.events import Kind
from assent.core.messages import ToolCall
from assent.core.model import Request
from assent.models.scripted import ScriptedModel
from assent.tools.tool import tool


@tool(privilege="read_only")
def look() -> str:
    done.append("look")
    return "seen"


@tool(privilege="execute_safe", idempotent=True)
def note(line: int) -> str:
    done.append(f"note {line}")
    return "noted"


@tool
def mail(to: str) -> str:
    done.append(f"mail {to}")
    return "sent"


TOOLS = (look, note, mail)
DRY = Config(mode="dry-run")


def test_only_what_reads_is_performed_and_the_rest_is_told(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look"), call("note", line=1), call("mail", to="ada")], "done") as session:
        result = ran(session, *TOOLS, mode="dry-run")
        assert (result.status, done) == ("finished", ["look"])
        assert result.undone == (("note", {"line": 1}), ("mail", {"to": "ada"}))
        seen, noted, sent = results(session, result.run)
        assert seen.text == "seen"
        assert noted.text == 'Not performed: this is a dry run; it would run note with {"line": 1}.'
        assert "it would ask a person (mail is execute_risky) and then run mail" in sent.text
        assert not noted.error
        assert not sent.error
        rows = session.sql("SELECT tool, status FROM tool_calls ORDER BY call").itertuples(index=False)
        assert [tuple(row) for row in rows] == [
            ("look", "finished"), ("note", "not performed"), ("mail", "not performed"),
        ]  # fmt: skip
        assert session.sql("SELECT mode FROM runs")["mode"].tolist() == ["dry-run"]


def test_what_is_denied_or_malformed_anyway_is_said_to_be(tmp_path: Path) -> None:
    with opened(tmp_path, [call("mail", to="ada"), call("note", line="x"), call("other")], "done") as session:
        result = ran(session, *TOOLS, mode="dry-run", policy={"mail": "disabled"})
        denied, malformed, unknown = results(session, result.run)
        assert denied.text == "Denied: The tool 'mail' is disabled by policy."
        assert malformed.text.startswith("Wrong arguments for note")
        assert unknown.text.startswith("Denied: The agent has no tool 'other'")
        assert result.undone == ()


def test_the_settings_and_the_run_that_starts_it_are_never_loosened(tmp_path: Path) -> None:
    session: Session

    @tool(privilege="read_only")
    async def delegate() -> str:
        inner = await session.run(Agent(name="helper", tools=(note,)), "Note it.")
        return f"{inner.status}, not done: {len(inner.undone)}"

    def first(request: Request) -> ToolCall:
        asked = [message.text for message in request.messages if message.role == "user"]
        return call("delegate") if asked == ["Go."] else call("note", line=1)

    with opened(tmp_path, first, "done") as session:
        result = ran(session, delegate, mode="dry-run")
        assert [item.text for item in results(session, result.run)] == ["finished, not done: 1"]
        named = asyncio.run(session.run(Agent(tools=(note,)), "Note it.", parent=result.run))
        assert session.state(named.run).mode == "dry-run"
    assert done == []
    with opened(tmp_path, call("note", line=1), "done", config=DRY) as session:
        assert ran(session, note, mode="strict").undone == (("note", {"line": 1}),)
    assert done == []


def test_what_a_tool_of_it_forks_or_goes_on_with_performs_nothing_either(tmp_path: Path) -> None:
    begun: list[str] = []

    @tool(privilege="read_only")
    async def go_on() -> str:
        await session.drain(ResumeRun(begun[0]))
        fork = await session.drain(ForkRun(begun[0], at=0, prompt="Again."))
        return " ".join([session.state(run).mode for run in (begun[0], fork.run)])

    def first(request: Request) -> ToolCall:
        asked = [message.text for message in request.messages if message.role == "user"]
        return call("go_on") if asked == ["Go."] else call("mail", to="ada")

    with opened(tmp_path, first, "done", tools=TOOLS) as session:
        begun.append(ran(session, *TOOLS, prompt="Mail her.").run)
        approve(session, f"{begun[0]}.1")
        result = ran(session, go_on, mode="dry-run")
        assert results(session, result.run)[0].text == "dry-run dry-run"
    assert done == []


def test_a_mode_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, "done") as session:
        loose: Any = "loose"
        with pytest.raises(ConfigError, match="'loose'"):
            asyncio.run(session.run("analyst", "Go.", mode=loose))


def test_a_question_of_before_is_answered_by_nobody_once_the_run_is_dry(tmp_path: Path) -> None:
    """Approved or not, a run that is gone on with where the settings say dry-run performs nothing any more."""
    script = [[call("mail", to="ada"), call("mail", to="bob"), call("mail", to="cy")], "done"]
    with opened(tmp_path, *script) as session:
        run = ran(session, *TOOLS).run
        approve(session, f"{run}.1", scope="run")
        reject(session, f"{run}.3", "not him")
    with opened(tmp_path, *script, config=DRY, tools=TOOLS) as session:
        result = resumed(session, run)
        assert (result.status, done) == ("finished", [])
        assert [item.text.partition(":")[0] for item in results(session, run)[:2]] == ["Not performed"] * 2
        assert results(session, run)[2].text == "The analyst rejected this call: not him"
        assert session.state(run).mode == "dry-run"
    with opened(tmp_path, config=Config(), tools=TOOLS) as session:
        assert session.state(run).mode == "dry-run"  # it was said so as it went on


def test_a_fork_keeps_the_mode_and_takes_a_tighter_one(tmp_path: Path) -> None:
    with opened(tmp_path, call("note", line=1), "done", call("note", line=2), "again", tools=TOOLS) as session:
        dry = ran(session, *TOOLS, mode="dry-run").run
        forked = asyncio.run(session.drain(ForkRun(dry, at=2, prompt="Now do it.")))
        assert forked.undone == (("note", {"line": 1}), ("note", {"line": 2}))
    assert done == []
    with opened(tmp_path, call("note", line=3), "done", tools=TOOLS) as session:
        free = ran(session, *TOOLS).run
        assert done == ["note 3"]
    with opened(tmp_path, call("note", line=4), "done", call("note", line=5), config=DRY, tools=TOOLS) as session:
        for edit in ({"at": 0, "prompt": "Again."}, {"call": f"{free}.1", "arguments": {"line": 6}}):
            fork = asyncio.run(session.drain(ForkRun(free, **edit)))
            assert session.state(fork.run).mode == "dry-run"
    assert done == ["note 3"]


def test_a_call_that_was_cut_off_is_not_repeated(tmp_path: Path) -> None:
    """Also where its tool is idempotent: in a dry run it is asked what became of it."""

    @tool(privilege="execute_safe", idempotent=True)
    async def put() -> str:
        done.append("put")
        await asyncio.Event().wait()
        return "never"

    async def cut(session: Session) -> str:
        async for item in session.submit(StartRun("Go.", Agent(name="tester", tools=(put,)))):
            if getattr(item, "kind", None) is Kind.CALL_STARTED:
                session.stop(item.run or "")
        return item.run or ""

    with opened(tmp_path, call("put"), "done") as session:
        run = asyncio.run(cut(session))
    with opened(tmp_path, call("put"), "done", config=DRY, tools=(put,)) as session:
        assert resumed(session, run).status == "suspended"
        [asked] = session.pending()
        assert asked.unknown
        approve(session, asked.call)
        assert resumed(session, run).status == "finished"
        assert "dry run" in results(session, run)[0].text
    assert done == ["put"]


def test_no_approval_can_be_given(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        run = ran(session, *TOOLS, mode="dry-run").run
        assert session.pending() == []
        with pytest.raises(AssentError, match="waits for approval"):
            approve(session, f"{run}.1")


def test_replayed_it_is_the_same(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look"), call("mail", to="ada")], "done", tools=TOOLS) as session:
        run = ran(session, *TOOLS, mode="dry-run").run
        assert str(asyncio.run(session.replay(run))).startswith("identical")
    assert done == ["look"]


def test_the_model_is_told(tmp_path: Path) -> None:
    model = ScriptedModel(["done"])
    session = Session(prepare(tmp_path), config=DRY, models=[model])
    run = asyncio.run(session.run(Agent(instructions="Be brief."), "Go.")).run
    told = session.state(run).messages[0].text
    session.close()
    assert told.startswith("Be brief.\n\nThis is a dry run.")
