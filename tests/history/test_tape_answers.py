"""What people answered in a recorded run is answered again, and nothing else is."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator
from tests.history.recorded import asked, call, playing, recorded
from tests.support.deeds import act, done, look
from tests.support.sessions import approve, opened, reject, results, resumed, started, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.commands import ForkRun
from assent.core.config import Config
from assent.core.errors import ConfigError
from assent.core.events import Kind
from assent.core.messages import ToolCall
from assent.runs.result import Result
from assent.tools.tool import Tool, tool


def recorded_with_answer(folder: Path, what: Tool[..., Any] = act, **answer: Any) -> Path:
    """The recording of a run whose call ana answered in time."""

    async def answered(session: Session) -> None:
        stream = session.submit(started(what, on_ask="wait"))
        asking = await until(stream, Kind.CALL_DECIDED)
        decide = reject if "reason" in answer else approve
        decide(session, asking.call or "", **({"by": "ana"} if decide is approve else {}), **answer)
        await until(stream, Kind.RUN_FINISHED)

    file = folder / "answers.jsonl"
    turns = (ToolCall("c1", what.name, '{"what": "one"}'), "Done.")
    with opened(folder / "there", *turns, tools=(what,), config=Config(record=str(file))) as session:
        asyncio.run(answered(session))
    done.clear()
    return file


def played(folder: Path, file: Path, what: Tool[..., Any] = act, **options: Any) -> tuple[Result, list[Any]]:
    """A run of that recording, and who approved its calls."""
    session = playing(folder, file)
    try:
        result = asked(session, what, **options)
        return result, session.sql("SELECT decided_by FROM approvals WHERE verdict <> 'pending'")["decided_by"].tolist()
    finally:
        session.close()


def test_an_approval_is_given_again_in_the_name_of_the_recording(tmp_path: Path) -> None:
    file = recorded_with_answer(tmp_path)
    result, by = played(tmp_path, file)
    assert (result.text, done, by) == ("Done.", ["act one"], ["recording answers.jsonl (ana)"])


def test_an_approval_is_given_again_only_where_the_tool_still_gets_the_same_of_the_words(tmp_path: Path) -> None:
    names = {"one": "ana"}

    @tool(privilege="execute_risky", name="act")
    def send(what: Annotated[str, AfterValidator(lambda word: names[word])]) -> None:
        done.append(what)

    file = recorded_with_answer(tmp_path, send)
    assert played(tmp_path / "same", file, send)[0].text == "Done."
    assert done == ["ana"]
    names["one"] = "eve"
    result, by = played(tmp_path / "other", file, send)
    assert (result.status, done, by) == ("suspended", ["ana"], [])


def test_what_was_allowed_for_the_run_is_approved_call_by_call(tmp_path: Path) -> None:
    async def answered(session: Session) -> None:
        stream = session.submit(started(act, on_ask="wait"))
        asking = await until(stream, Kind.CALL_DECIDED)
        approve(session, asking.call or "", by="ana", scope="run")
        await until(stream, Kind.RUN_FINISHED)

    file = tmp_path / "answers.jsonl"
    turns = (call("act", 1, what="one"), call("act", 2, what="two"), "Done.")
    with opened(tmp_path / "there", *turns, tools=(act,), config=Config(record=str(file))) as session:
        asyncio.run(answered(session))
    done.clear()
    session = playing(tmp_path, file)
    try:
        result = asked(session, act)
        assert (result.text, done) == ("Done.", ["act one", "act two"])
        assert session.journal.events(kind=Kind.GRANT_GIVEN) == []  # nothing that a live model could use after it
        assert session.sql("SELECT scope FROM approvals")["scope"].tolist() == ["once", "once"]
    finally:
        session.close()


def test_an_edit_is_given_again(tmp_path: Path) -> None:
    file = recorded_with_answer(tmp_path, arguments={"what": "two"})
    result, _ = played(tmp_path, file)
    assert (result.text, done) == ("Done.", ["act two"])


def test_a_rejection_is_given_again(tmp_path: Path) -> None:
    file = recorded_with_answer(tmp_path, reason="Not today.")
    session = playing(tmp_path, file)
    try:
        run = asked(session, act).run
        assert "Not today." in results(session, run)[0].text
    finally:
        session.close()
    assert done == []


def test_nothing_acts_where_calls_that_ask_are_denied(tmp_path: Path) -> None:
    file = recorded_with_answer(tmp_path)
    result, by = played(tmp_path, file, on_ask="deny")
    assert (result.status, done, by) == ("failed", [], [None])
    assert "the result of call 1 (act) has changed" in result.reason


def test_admins_calls_wait_for_a_person(tmp_path: Path) -> None:
    @tool(name="act", privilege="admin")
    async def rule(what: str) -> str:
        """Do something."""
        done.append(what)
        return what

    file = recorded_with_answer(tmp_path, rule)
    result, by = played(tmp_path, file, rule)
    assert (result.status, len(result.pending), done, by) == ("suspended", 1, [], [])


def forged(file: Path, **fields: Any) -> None:
    """Change the approval in a recording."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows:
        if row.get("kind") == "approval_decided":
            row |= fields
    file.write_text("\n".join(map(json.dumps, rows)))


@pytest.mark.parametrize(
    "fields",
    [{"digest": "0" * 64}, {"policy_version": "0" * 16}, {"tool": "look"}, {"arguments": {"what": "two"}}],
)
def test_an_approval_of_anything_else_is_none(tmp_path: Path, fields: dict[str, Any]) -> None:
    file = recorded_with_answer(tmp_path)
    rows = file.read_text()
    forged(file, **fields)
    assert file.read_text() != rows
    result, by = played(tmp_path, file)
    assert (result.status, done, by) == ("suspended", [], [])


@pytest.mark.parametrize(
    "part", [{"kind": "image", "media_type": "image/png", "digest": "0"}, {"kind": "text", "text": 5}, {"kind": "else"}]
)
def test_an_answer_that_no_model_could_give_is_refused(tmp_path: Path, part: dict[str, Any]) -> None:
    file = recorded(tmp_path, "Yes.", tools=())
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[2]["message"]["parts"] = [part]
    file.write_text("\n".join(map(json.dumps, rows)))
    session = playing(tmp_path, file)
    try:
        with pytest.raises(ConfigError, match="is no recording that can be read"):
            asked(session)
    finally:
        session.close()


def test_under_other_rules_a_person_is_asked(tmp_path: Path) -> None:
    file = recorded_with_answer(tmp_path)
    session = Session(prepare(tmp_path / "here"), config=Config(replay=str(file), policy={"act": "ask"}))
    try:
        result = asked(session, act)
        assert result.status == "suspended"
        approve(session, result.pending[0].call, by="eva")
        assert resumed(session, result.run).text == "Done."
        assert session.sql("SELECT decided_by FROM approvals")["decided_by"].tolist() == ["eva"]
    finally:
        session.close()


def test_what_was_answered_while_the_run_stood_still_is_left_to_the_notebook(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    turns = (call("act", what="one"), "Done.")
    with opened(tmp_path / "there", *turns, tools=(act,), config=Config(record=str(file))) as session:
        run = asked(session, act).run
        approve(session, f"{run}.1", by="ana")
        resumed(session, run)
    done.clear()
    session = playing(tmp_path, file)
    try:
        result = asked(session, act)
        assert (result.status, done) == ("suspended", [])
        approve(session, f"{result.run}.1", by="eva")
    finally:
        session.close()
    later = playing(tmp_path, file)  # another process: the journal says which recording it was begun with
    later.add_tool(act)
    try:
        assert resumed(later, result.run).text == "Done."
    finally:
        later.close()


def test_a_fork_has_an_answer_of_its_own(tmp_path: Path) -> None:
    file, says = tmp_path / "answers.jsonl", iter(["first", "second"])
    with opened(tmp_path / "there", call("look", at="a"), lambda _: next(says), tools=(look,),
                config=Config(record=str(file))) as session:  # fmt: skip
        run = asked(session, look).run
        assert asyncio.run(session.drain(ForkRun(run, at=1))).text == "second"
    session = playing(tmp_path, file)
    try:
        run = asked(session, look)
        assert run.text == "first"
        assert asyncio.run(session.drain(ForkRun(run.run, at=1))).text == "second"
        third = asyncio.run(session.drain(ForkRun(run.run, at=1, prompt="And then?")))
        assert "has no run of the agent 'tester' that was asked 'And then?'" in third.reason
    finally:
        session.close()
