"""A recording answers in the place of a model, and says what has drifted."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.history.recorded import asked, call, drifted, playing, recorded
from tests.support.deeds import act, done, look
from tests.support.sessions import opened, resumed, started, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.errors import ConfigError, ModelError
from assent.core.events import Kind
from assent.models.scripted import ScriptedModel
from assent.tools.tool import Tool, tool


def test_it_answers_without_a_model_free_of_charge_while_tools_run(tmp_path: Path) -> None:
    file = recorded(tmp_path, call("look", at="a"), "Seen.")
    done.clear()
    session = playing(tmp_path, file)
    try:
        result = asked(session, look)
        events = session.journal.events(result.run)
        costs = session.sql("SELECT model, cost, input_tokens FROM costs")
        incidents = session.sql("SELECT incident, reason FROM incidents")
    finally:
        session.close()
    assert (result.status, result.text, done) == ("finished", "Seen.", ["look a"])
    assert events[0].body["replay"] == str(file)
    assert costs.to_numpy().tolist() == [["scripted:script", 0.0, 0]] * 2
    assert incidents.to_numpy().tolist() == [
        ["replayed", "answers.jsonl, run 1, answer 1."],
        ["replayed", "answers.jsonl, run 1, answer 2."],
    ]


def test_runs_are_found_by_agent_and_prompt_in_any_order(tmp_path: Path) -> None:
    file, says = tmp_path / "answers.jsonl", iter(["one", "two", "three"])
    with opened(tmp_path / "there", lambda _: next(says), config=Config(record=str(file))) as session:
        for prompt in ("a", "b", "a"):
            asked(session, prompt=prompt)
    session = playing(tmp_path, file)
    try:
        assert [asked(session, prompt=prompt).text for prompt in ("b", "a", "a")] == ["two", "one", "three"]
        again = asked(session, prompt="a")
    finally:
        session.close()
    assert again.status == "failed"
    assert (
        "has this question 2 times, and it was asked as often before. %agent record --replay answers.jsonl begins"
        in (again.reason)
    )


def test_a_prompt_that_was_reworded_is_told_beside_the_recorded_one(tmp_path: Path) -> None:
    file = recorded(tmp_path, "Four.", tools=(), prompt="How much is two and two?")
    assert drifted(tmp_path, file, prompt="How much is two and three?") == (
        "does not fit: the prompt of its 1st run has changed: "
        "recorded 'How much is two and two?', now 'How much is two and three?'"
    )


def test_a_prompt_that_was_reworded_is_told_also_once_its_run_was_played(tmp_path: Path) -> None:
    file = recorded(tmp_path, "Four.", tools=(), prompt="How much is two and two?")
    session = playing(tmp_path, file)
    try:
        assert asked(session, prompt="How much is two and two?").status == "finished"
        again = asked(session, prompt="How much is two and three?")
    finally:
        session.close()
    assert "recorded 'How much is two and two?', now 'How much is two and three?'" in again.reason


def test_a_question_that_is_not_in_it_says_so(tmp_path: Path) -> None:
    file = recorded(tmp_path, "Four.", tools=())
    assert drifted(tmp_path, file, prompt="Why is the sky blue?") == (
        "has no run of the agent 'tester' that was asked 'Why is the sky blue?'; it has 1 run"
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"instructions": "Be brief."}, "the agent's instructions has changed"),
        ({"temperature": 0.5}, "the agent's temperature has changed: recorded 'null', now '0.5'"),
        ({"model": "maker:other"}, "the model has changed: recorded 'scripted:script', now 'maker:other'"),
        ({"output_type": "int"}, "the type of the answer has changed"),
    ],
)
def test_the_agent_is_to_be_as_it_was(tmp_path: Path, options: dict[str, Any], what: str) -> None:
    file = recorded(tmp_path, call("look", at="a"), "Seen.")
    assert drifted(tmp_path, file, look, **options).startswith(f"does not fit the 1st run: {what}")


def test_a_model_may_be_written_shorter(tmp_path: Path) -> None:
    file = recorded(tmp_path, "Seen.", tools=())
    for name in ("scripted", "script", "scripted:script"):
        session = playing(tmp_path, file)
        try:
            assert asked(session, model=name).status == "finished"
        finally:
            session.close()


def other(code: Any, **options: Any) -> Tool[..., Any]:
    return tool(name="look", privilege=options.pop("privilege", "read_only"), **options)(code)


def test_other_code_of_a_tool_is_named(tmp_path: Path) -> None:
    def changed(at: str) -> str:
        """Look at something."""
        return f"saw {at}!"

    file = recorded(tmp_path, call("look", at="a"), "Seen.")
    done.clear()
    assert drifted(tmp_path, file, other(changed)) == (
        "does not fit the 1st run: the code of the tool look has changed"
    )
    assert done == []


def test_under_another_python_code_is_not_compared(tmp_path: Path) -> None:
    def changed(at: str) -> str:
        """Look at something."""
        return "saw " + at

    file = recorded(tmp_path, call("look", at="a"), "Seen.")
    head, _, rest = file.read_text().partition("\n")
    file.write_text(json.dumps(json.loads(head) | {"python": "3.1"}) + "\n" + rest)
    session = playing(tmp_path, file)
    try:
        assert asked(session, other(changed)).text == "Seen."
    finally:
        session.close()


def test_what_a_tool_says_of_itself_is_named(tmp_path: Path) -> None:
    def reworded(at: str) -> str:
        """Look at it."""
        return f"saw {at}"

    def retyped(at: int) -> str:
        """Look at something."""
        return f"saw {at}"

    file = recorded(tmp_path, call("look", at="a"), "Seen.")
    described = drifted(tmp_path, file, other(reworded))
    assert described.endswith(
        "the description of the tool look has changed: recorded 'Look at something.', now 'Look at it.'"
    )
    assert "the schema of the tool look has changed: recorded '…" in drifted(tmp_path, file, other(retyped))
    assert "the list of the agent's tools has changed: recorded 'look', now 'look, act'" in drifted(
        tmp_path, file, look, act
    )


def test_other_data_is_named_by_the_call_that_read_it(tmp_path: Path) -> None:
    file, frame = tmp_path / "answers.jsonl", pd.DataFrame({"a": [1, 2]})
    turns = (call("sql", query="SELECT sum(a) AS s FROM t"), "3")
    with opened(tmp_path / "there", *turns, namespace={"t": frame}, config=Config(record=str(file))) as session:
        asked(session, "sql")
    session = playing(tmp_path, file, namespace={"t": frame + 1})
    try:
        reason = asked(session, "sql").reason
    finally:
        session.close()
    assert "does not fit the 1st run: the result of call 1 (sql) has changed: recorded 's\\n3', now 's\\n5'" in reason


def test_a_failure_is_played_and_what_followed_it(tmp_path: Path) -> None:
    file, answers = tmp_path / "answers.jsonl", iter([ModelError("It is overloaded."), "Seen."])
    turns = (call("look", at="a"), lambda _: next(answers))
    with opened(tmp_path / "there", *turns, tools=(look,), config=Config(record=str(file))) as session:
        resumed(session, asked(session, look).run)
    session = playing(tmp_path, file)
    try:
        failed = asked(session, look)
        assert (failed.status, failed.reason) == ("failed", "It is overloaded.")
        assert resumed(session, failed.run).text == "Seen."
    finally:
        session.close()


def test_a_run_that_was_cut_off_ends_where_it_did(tmp_path: Path) -> None:
    file, gate = tmp_path / "answers.jsonl", asyncio.Event()

    @tool(name="look", privilege="read_only")
    async def slow(at: str) -> str:
        """Look at something."""
        if at == "b":
            await gate.wait()
        return f"saw {at}"

    async def left(session: Session) -> None:
        stream = session.submit(started(slow))
        await until(stream, Kind.CALL_FINISHED)
        await stream.aclose()

    turns = ((call("look", 1, at="a"), call("look", 2, at="b")), "Seen.")
    with opened(tmp_path / "there", *turns, tools=(slow,), config=Config(record=str(file))) as session:
        asyncio.run(left(session))
    gate.set()
    reason = drifted(tmp_path, file, slow)
    assert reason == "ends here in its 1st run, which was cancelled, and more is asked"


def test_a_cell_of_its_own_may_be_played_beside_a_model(tmp_path: Path) -> None:
    file = recorded(tmp_path, "recorded", tools=())
    with opened(tmp_path / "here", "live") as session:
        played_one = StartRun("Go.", Agent(name="tester", tools=()), replay=str(file))
        assert asyncio.run(session.drain(played_one)).text == "recorded"
        assert asked(session).text == "live"


def test_a_file_that_is_none_is_said_before_the_run(tmp_path: Path) -> None:
    folder, config = prepare(tmp_path / "here"), Config(replay=str(tmp_path / "none.jsonl"))
    session = Session(folder, config=config, models=[ScriptedModel([])])
    try:
        with pytest.raises(
            ConfigError, match=r"There is no recording .*none.jsonl.* %agent record none.jsonl makes one"
        ):
            asked(session)
        assert session.journal.select("SELECT count(*) FROM events") == [(0,)]
    finally:
        session.close()


def test_a_typed_answer_and_a_picture_are_as_they_were(tmp_path: Path) -> None:
    png, file = b"\x89PNG\r\n\x1a\n" + b"0" * 20, tmp_path / "answers.jsonl"
    with opened(tmp_path / "there", "No idea.", '{"value": 3}', config=Config(record=str(file))) as session:
        assert asked(session, output_type="int", images=png).value == 3
    session = playing(tmp_path, file)
    try:
        assert asked(session, output_type="int", images=png).value == 3
    finally:
        session.close()
    assert "the pictures for the model have changed" in drifted(tmp_path, file, output_type="int", images=png + b"1")


def test_runs_at_the_same_time_have_their_own_answers(tmp_path: Path) -> None:
    async def many(session: Session) -> list[str]:
        runs = [session.run(Agent(name="tester", tools=()), f"prompt {number}") for number in range(20)]
        return [result.text for result in await asyncio.gather(*runs)]

    file = tmp_path / "answers.jsonl"
    with opened(
        tmp_path / "there", lambda request: request.messages[1].text, config=Config(record=str(file))
    ) as session:
        expected = asyncio.run(many(session))
    session = playing(tmp_path, file)
    try:
        assert asyncio.run(many(session)) == expected == [f"prompt {number}" for number in range(20)]
    finally:
        session.close()
