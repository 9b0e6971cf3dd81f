"""A fork shares the first steps of a run, repeats none of their effects, and goes on another way."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, reject, results, resumed, started, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.commands import Decide, ForkRun
from assent.core.config import Config
from assent.core.errors import AssentError, ConfigError, NotFound
from assent.core.events import Event, Kind, Scope
from assent.core.messages import Text
from assent.core.model import Request
from assent.history.fork import forked as begin
from assent.models.scripted import ScriptedModel
from assent.runs.result import Result
from assent.tools.tool import tool

effects: list[str] = []


@tool(privilege="read_only")
def look(at: str = "") -> str:
    effects.append(f"looked {at}")
    return f"saw {at}"


@tool(privilege="execute_risky")
def act(x: int) -> str:
    effects.append(f"acted {x}")
    return f"acted {x}"


@tool(privilege="execute_risky", idempotent=True)
def put(x: int) -> str:
    effects.append(f"put {x}")
    return f"put {x}"


@pytest.fixture(autouse=True)
def no_effects() -> Iterator[None]:
    effects.clear()
    yield
    effects.clear()


def said(request: Request) -> str:
    """An answer that tells all that the model was told."""
    return " | ".join([message.text or "results" for message in request.messages[1:] if message.role != "assistant"])


def forked(session: Session, run: str, at: int | None = None, **options: Any) -> Result:
    return asyncio.run(session.drain(ForkRun(run, at, **options)))


def approved(session: Session, *tools: Any, **options: Any) -> str:
    """A run whose every call was approved, to its end."""
    result = ran(session, *tools, **options)
    while result.pending:
        for item in result.pending:
            approve(session, item.call)
        result = resumed(session, result.run)
    assert result.status == "finished", result.reason
    return result.run


def cost_of(session: Session, run: str) -> Any:
    return session.sql(f"SELECT steps, input_tokens FROM runs WHERE run = '{run}'").values.tolist()[0]


TURNS = ([call("look", at="a")], [call("act", x=1)], [call("act", x=2), call("look", at="b")], said, said, said)


def test_it_keeps_the_steps_with_their_results_and_repeats_no_effect(tmp_path: Path) -> None:
    with opened(tmp_path, *TURNS, tools=(look, act)) as session:
        run = approved(session, look, act)
        assert sorted(effects) == ["acted 1", "acted 2", "looked a", "looked b"]
        effects.clear()
        fork = forked(session, run, at=2)
        assert (fork.status, [item.call for item in fork.pending]) == ("suspended", [f"{fork.run}.3"])
        assert session.state(fork.run).messages[:5] == session.state(run).messages[:5]
        approve(session, f"{fork.run}.3")
        assert resumed(session, fork.run).text == "Go. | results | results | results"
    assert sorted(effects) == ["acted 2", "looked b"]


def test_what_is_shared_is_neither_copied_nor_paid_twice(tmp_path: Path) -> None:
    with opened(tmp_path, *TURNS, tools=(look, act)) as session:
        run = approved(session, look, act)
        fork = forked(session, run, prompt="Well?").run
        assert cost_of(session, run) == [4, 40]
        assert cost_of(session, fork) == [1, 10]
        assert len(session.journal.events(fork)) == 3
        row = session.sql(f"SELECT prompt, forked_from, parent FROM runs WHERE run = '{fork}'")
        assert row.values.tolist() == [["Well?", run, None]]
        assert session.sql(f"SELECT count(*) FROM tool_calls WHERE run = '{fork}'").values.tolist() == [[0]]


def test_its_state_is_that_of_the_run_at_that_step_under_another_name(tmp_path: Path) -> None:
    with opened(tmp_path, *TURNS, tools=(look, act)) as session:
        run = approved(session, look, act)
        fork = forked(session, run, at=3).run
        state, origin = session.state(fork), session.state(run)
        assert (state.run, state.step, state.calls, state.prompt) == (fork, 4, 4, "Go.")
        assert state.messages == origin.messages
        assert state.last_calls == (f"{fork}.3", f"{fork}.4")
        assert {event.run for event in session.events(fork)} == {fork}


def test_a_finished_run_can_be_asked_further(tmp_path: Path) -> None:
    with opened(tmp_path, "Four.", said, tools=()) as session:
        run = ran(session, prompt="2 + 2?").run
        assert forked(session, run, prompt="And twice that?").text == "2 + 2? | And twice that?"
        assert session.result(run).text == "Four."


def test_at_0_it_begins_anew_with_the_question_or_another(tmp_path: Path) -> None:
    with opened(tmp_path, said, tools=()) as session:
        run = ran(session, prompt="One?").run
        assert forked(session, run, at=0).text == "One?"
        assert forked(session, run, at=0, prompt="Two?").text == "Two?"


def test_another_model_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], "first", tools=(look,)) as session:
        run = ran(session, look).run
        other = tmp_path / "other.json"
        other.write_text(json.dumps(["", "second"]))
        fork = forked(session, run, at=1, model=f"scripted:{other}")
        assert (fork.text, session.state(fork.run).model) == ("second", f"scripted:{other}")
        assert session.result(run).text == "first"
    assert effects == ["looked a"]


def test_an_edited_call_is_asked_about_anew_and_the_others_of_its_step_are_not_repeated(tmp_path: Path) -> None:
    with opened(
        tmp_path, [call("look", at="a"), call("act", x=1), call("act", x=2)], said, tools=(look, act)
    ) as session:
        run = approved(session, look, act)
        effects.clear()
        fork = forked(session, run, call=f"{run}.2", arguments={"x": 9})
        (asked,) = fork.pending
        assert (asked.call, asked.arguments) == (f"{fork.run}.2", {"x": 9})
        assert effects == []
        approve(session, asked.call)
        assert resumed(session, fork.run).status == "finished"
        assert [item.text for item in results(session, fork.run)] == ["saw a", "acted 9", "acted 2"]
        proposed = [item.arguments for item in session.state(fork.run).messages[2].calls]
        assert proposed == ['{"at": "a"}', '{"x": 9}', '{"x": 2}']
    assert effects == ["acted 9"]


def test_an_edited_call_that_may_run_does(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], said, tools=(look,)) as session:
        run = ran(session, look).run
        fork = forked(session, run, call="1", arguments={"at": "z"}, prompt="Better?")
        assert (fork.status, fork.text) == ("finished", "Go. | results | Better?")
        assert [item.text for item in results(session, fork.run)] == ["saw z"]


def test_an_edit_and_a_word_after_it_wait_for_the_answer(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1)], said, tools=(act,)) as session:
        run = approved(session, act)
        fork = forked(session, run, call=f"{run}.1", arguments={"x": 2}, prompt="Then?")
        reject(session, fork.pending[0].call)
        assert resumed(session, fork.run).text == "Go. | results | Then?"
    assert effects == ["acted 1"]


def test_a_fork_of_a_fork(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1)], [call("act", x=2)], said, said, said, tools=(act,)) as session:
        run = approved(session, act)
        edited = forked(session, run, call=f"{run}.1", arguments={"x": 5})
        approve(session, edited.pending[0].call)
        edited = resumed(session, edited.run)
        approve(session, edited.pending[0].call)
        assert resumed(session, edited.run).status == "finished"
        assert effects == ["acted 1", "acted 2", "acted 5", "acted 2"]
        last = forked(session, edited.run, prompt="And?")
        again = forked(session, last.run, prompt="Sure?")
        assert again.text == "Go. | results | results | And? | Sure?"
        assert [item.text for item in results(session, again.run)] == ["acted 5", "acted 2"]
        early = forked(session, again.run, at=1)
        assert [item.text for item in results(session, early.run)] == ["acted 5"]
    assert effects == ["acted 1", "acted 2", "acted 5", "acted 2"]


def test_a_fork_where_a_fork_began_keeps_what_was_said_there(tmp_path: Path) -> None:
    with opened(tmp_path, "one", said, tools=()) as session:
        run = ran(session, prompt="First?").run
        fork = forked(session, run, prompt="Second?").run
        assert forked(session, fork, at=1).text == "First? | Second?"
        assert forked(session, fork, at=1, prompt="Third?").text == "First? | Third?"
        assert forked(session, fork, at=0).text == "one"
        assert session.sql("SELECT prompt FROM runs")["prompt"].tolist() == [
            "First?", "Second?", "Second?", "Third?", "First?",
        ]  # fmt: skip


def test_what_waits_in_the_run_waits_anew_in_the_fork(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1), call("act", x=2)], said, tools=(act,)) as session:
        run = ran(session, act).run
        approve(session, f"{run}.1")
        fork = forked(session, run, at=1)
        assert [item.call for item in fork.pending] == [f"{fork.run}.1", f"{fork.run}.2"]
        assert len(session.pending()) == 3
        reject(session, f"{fork.run}.1")
        approve(session, f"{fork.run}.2")
        assert resumed(session, fork.run).status == "finished"
        assert [item.call for item in session.pending()] == [f"{run}.2"]
    assert effects == ["acted 2"]


def test_what_was_allowed_for_the_run_is_asked_about_in_the_fork(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1)], [call("act", x=2)], "done", tools=(act,)) as session:
        run = ran(session, act).run
        approve(session, f"{run}.1", scope="run")
        assert resumed(session, run).status == "finished"
        fork = forked(session, run, at=1)
        assert [item.call for item in fork.pending] == [f"{fork.run}.2"]
    assert effects == ["acted 1", "acted 2"]


def cut_off(session: Session, name: str) -> str:
    """A run of two calls that was cut off after the first of them had begun: as a killed kernel leaves it."""
    run = ran(session, name, "look").run
    approve(session, f"{run}.1")
    scope = session.state(run).scope
    begun = [scope.event(Kind.CALL_STARTED, step=1, call=f"{run}.1", tool=name, privilege="execute_risky")]
    begun += [scope.event(Kind.CALL_STARTED, step=1, call=f"{run}.2", tool="look", privilege="read_only")]
    session.journal.append(begun).result()
    return run


@pytest.mark.parametrize("name", ["act", "put"])
def test_an_outcome_that_the_run_does_not_know_is_asked_about_whatever_the_tool(tmp_path: Path, name: str) -> None:
    with opened(tmp_path, [call(name, x=1), call("look", at="a")], said, tools=(act, put, look)) as session:
        run = cut_off(session, name)
        fork = forked(session, run, at=1)
        (asked,) = fork.pending
        assert (asked.call, asked.unknown, asked.grantable) == (f"{fork.run}.1", True, False)
        assert "fork" in asked.asks
        approve(session, asked.call, outcome="it went through")
        assert resumed(session, fork.run).status == "finished"
        happened, seen = results(session, fork.run)
        assert "it went through" in happened.text
        assert seen.text == "saw a"
    assert effects == ["looked a"]


def test_an_outcome_that_the_run_does_not_know_may_be_run_again(tmp_path: Path) -> None:
    with opened(tmp_path, [call("act", x=1), call("look", at="a")], said, tools=(act, look)) as session:
        fork = forked(session, cut_off(session, "act"), at=1)
        approve(session, fork.pending[0].call)
        assert resumed(session, fork.run).status == "finished"
    assert sorted(effects) == ["acted 1", "looked a"]


def test_a_run_at_work_can_be_forked(tmp_path: Path) -> None:
    async def both(session: Session) -> tuple[Event, Result]:
        stream = session.submit(started(look, act, on_ask="wait"))
        asked = await until(stream, Kind.CALL_DECIDED, "ask")
        fork = await session.drain(ForkRun(asked.run or "", 1, prompt="Enough?"))
        session.decide(Decide(asked.call or "", "reject"))
        return await until(stream, Kind.RUN_FINISHED), fork

    turns = [call("look", at="a")], lambda request: "brief" if "Enough?" in said(request) else call("act", x=1), "long"
    with opened(tmp_path, *turns, tools=(look, act)) as session:
        ended, fork = asyncio.run(both(session))
    assert (ended.body["text"], fork.text) == ("long", "brief")


def test_it_outlives_the_process(tmp_path: Path) -> None:
    with opened(tmp_path, *TURNS, tools=(look, act)) as session:
        run = approved(session, look, act)
        fork = forked(session, run, at=2).run
    with opened(tmp_path, *TURNS, tools=(look, act)) as session:
        assert [item.call for item in session.pending()] == [f"{fork}.3"]
        approve(session, f"{fork}.3")
        assert resumed(session, fork).text == "Go. | results | results | results"
        assert session.journal.verify() > 0


def test_the_type_of_the_answer_and_the_pictures_stay(tmp_path: Path) -> None:
    image = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    with opened(tmp_path, "[1]", "[1, 2]", tools=()) as session:
        run = ran(session, output_type="list[int]", images=image).run
        fork = forked(session, run, prompt="One more.")
        assert fork.value == [1, 2]
        anew = forked(session, run, at=0, prompt="Again.")
        assert anew.value == [1]
        for other in (fork.run, anew.run):
            assert [part.data for part in session.state(other).messages[1].parts[:1]] == [b""]
            assert session.state(other).messages[1].parts[0] == session.state(run).messages[1].parts[0]


def test_an_answer_that_was_refused_is_part_of_the_step(tmp_path: Path) -> None:
    with opened(tmp_path, "no list", "[1]", tools=()) as session:
        run = ran(session, output_type="list[int]").run
        assert forked(session, run, at=1).value == [1]


def test_a_failed_run_goes_on_from_an_earlier_step(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], [call("look", at="b")], "done", tools=(look,)) as session:
        failed = ran(session, look, max_steps=2)
        assert failed.status == "failed"
        assert forked(session, failed.run, at=2).text == "done"
        assert session.result(failed.run).status == "failed"


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({}, "Say where: --at STEP, from 0 to 2"),
    ({"model": "scripted:script"}, "Say where"),
    ({"at": 3}, "has 2 steps; --at takes 0 to 2, not 3"),
    ({"at": 2}, "Step 2 of the run .* is its answer"),
    ({"at": -1}, "--at takes 0 to 2"),
    ({"call": "1", "arguments": {"x": 1}, "at": 2}, "is of step 1: leave --at out"),
    ({"call": "1", "arguments": {"x": "no number"}}, "do not fit act"),
    ({"call": "2", "arguments": {"x": 1}}, "has no call '2'; its calls are .*\\.1 to"),
    ({"call": "zzz.1", "arguments": {"x": 1}}, "has no call"),
    ({"call": "1"}, "the call's id, and its new arguments"),
    ({"arguments": {"x": 1}}, "the call's id, and its new arguments"),
]


def test_what_makes_no_sense_is_said_and_nothing_begins(tmp_path: Path, subtests: pytest.Subtests) -> None:
    with opened(tmp_path, [call("act", x=1)], "done", tools=(act,)) as session:
        run = approved(session, act)
        for options, says in NONSENSE:
            with subtests.test(str(options)):
                with pytest.raises(AssentError, match=says) as caught:
                    forked(session, run, **options)
                assert isinstance(caught.value, ConfigError | NotFound)
                assert session.sql("SELECT count(*) AS n FROM runs")["n"].tolist() == [1]


def test_a_tool_that_is_not_here_is_said(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], "done", tools=(look,)) as session:
        run = ran(session, look).run
    with opened(tmp_path) as session, pytest.raises(NotFound, match="look"):
        forked(session, run, at=1)


def test_a_policy_that_has_become_stricter_holds_for_the_fork(tmp_path: Path) -> None:
    with opened(tmp_path, [call("look", at="a")], [call("look", at="b")], said, tools=(look,)) as session:
        run = ran(session, look).run
        session.config = Config(policy={"look": "disabled"})
        fork = forked(session, run, at=1)
        assert [item.error for item in results(session, fork.run)] == [False, True]
    assert effects == ["looked a", "looked b"]


@pytest.mark.parametrize(("at", "prompt"), [(1, "And?"), (0, "")])
def test_what_is_forgotten_is_no_place_to_go_on_from(tmp_path: Path, at: int, prompt: str) -> None:
    with opened(tmp_path, "one", tools=()) as session:
        told = session.events(ran(session).run)
    for event in told:
        event.body["forgotten"] = "digest"  # as the compaction leaves it
    with pytest.raises(ConfigError, match="is forgotten"):
        begin(told, ForkRun("", at, prompt), Scope("f"), "m", {})
    anew = begin(told, ForkRun("", 0, "Another?"), Scope("f"), "m", {})
    assert anew.body["prompt"] == "Another?"


def test_the_stream_is_that_of_the_fork_alone(tmp_path: Path) -> None:
    async def streamed(session: Session, run: str) -> list[Event]:
        return [item async for item in session.submit(ForkRun(run, prompt="And?")) if isinstance(item, Event)]

    with opened(tmp_path, [Text("Hm."), call("look", at="a")], "one", "two", tools=(look,)) as session:
        run = ran(session, look).run
        heard = asyncio.run(streamed(session, run))
        assert [event.kind for event in heard] == [Kind.RUN_STARTED, Kind.MODEL_ANSWERED, Kind.RUN_FINISHED]
        assert [event.step for event in heard] == [None, 3, 3]


def test_the_model_reads_the_shared_steps_in_the_very_same_words(tmp_path: Path) -> None:
    requests: list[Request] = []

    class Listening(ScriptedModel):
        async def stream(self, request: Request) -> Any:
            requests.append(Request(list(request.messages), request.tools))
            async for item in super().stream(request):
                yield item

    session = Session(prepare(tmp_path), config=Config(), models=[Listening(TURNS)])
    try:
        run = approved(session, look, act)
        before = requests[-1].messages
        requests.clear()
        forked(session, run, at=3)
        assert requests[0].messages == before
    finally:
        session.close()
