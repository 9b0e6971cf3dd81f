"""A person's answer: taken once, bound to these arguments, decided by policy again where it edits."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, kinds, opened, ran, reject, results, resumed

from assent.core.agent import Agent
from assent.core.commands import Decide
from assent.core.config import Config
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Kind
from assent.core.grant import act_digest
from assent.tools.tool import tool

done: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_done_yet(people: None) -> None:
    done.clear()


@tool(privilege="execute_risky")
def mail(to: str, times: int = 1) -> str:
    done.append((to, times))
    return f"sent to {to}"


@tool(privilege="admin")
def grant(to: str) -> None:
    done.append(to)


@tool(privilege="super_admin")
def wipe(what: str) -> None:
    done.append(what)


def test_suspended_decided_and_resumed_in_three_sessions(tmp_path: Path) -> None:
    script = [call("mail", to="ada"), "done"]
    with opened(tmp_path, *script) as session:
        result = ran(session, mail)
        assert result.status == "suspended"
        assert result.reason.endswith(f"waiting for approval: {result.run}.1")
    with opened(tmp_path, *script, tools=(mail,)) as session:
        [item] = session.pending()
        assert (item.call, item.tool, item.arguments) == (f"{result.run}.1", "mail", {"to": "ada"})
        approve(session, item.call)
        assert session.pending() == []
        assert done == []
    with opened(tmp_path, *script, tools=(mail,)) as session:
        assert resumed(session, result.run).status == "finished"
        assert done == [("ada", 1)]
        assert session.journal.verify() == len(session.journal.events(result.run))


def test_an_approved_call_runs_once_though_the_run_is_resumed_again(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), [call("mail", to="eve")], "done") as session:
        name = ran(session, mail).run
        approve(session, f"{name}.1")
        for _ in range(3):
            assert resumed(session, name).status == "suspended"
        assert done == [("ada", 1)]


def test_the_reason_of_a_rejection_reaches_the_model(tmp_path: Path) -> None:
    with opened(tmp_path, [call("mail", to="ada"), call("mail", to="eve")], "I see.") as session:
        name = ran(session, mail).run
        reject(session, f"{name}.1", "She is on leave.")
        reject(session, f"{name}.2")
        assert resumed(session, name).text == "I see."
        assert [item.text for item in results(session, name)] == [
            "The analyst rejected this call: She is on leave.",
            "The analyst rejected this call.",
        ]
        assert done == []


def test_an_edit_runs_as_edited_and_is_what_the_journal_shows(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        name = ran(session, mail).run
        approve(session, f"{name}.1", arguments={"to": "eve", "times": 2})
        assert session.state(name).batch[f"{name}.1"].arguments == {"to": "eve", "times": 2}
        assert resumed(session, name).status == "finished"
        assert done == [("eve", 2)]
        [(arguments,)] = session.journal.select("SELECT arguments FROM tool_calls")
        assert arguments == '{"to":"eve","times":2}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to": 3}, "edited arguments do not fit mail: to: Input should be a valid string"),
        ({"whom": "eve"}, "do not fit mail"),
        ({}, "do not fit mail: to: Field required"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_and_the_question_stays(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        name = ran(session, mail).run
        with pytest.raises(ConfigError, match=message):
            approve(session, f"{name}.1", arguments=arguments)
        assert [item.call for item in session.pending()] == [f"{name}.1"]


def test_an_edit_is_decided_by_policy_again(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        name = ran(session, mail).run
    with opened(tmp_path, "done", tools=(mail,), config=Config(policy={"mail": "disabled"})) as session:
        with pytest.raises(ConfigError, match=r"The edited call is denied by policy: .*disabled"):
            approve(session, f"{name}.1", arguments={"to": "eve"})
        assert len(session.pending()) == 1


def test_an_approval_under_other_rules_carries_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        name = ran(session, mail).run
        approve(session, f"{name}.1")
    with opened(
        tmp_path, call("mail", to="ada"), "done", tools=(mail,), config=Config(policy={"mail": "ask"})
    ) as session:
        result = resumed(session, name)
        assert result.status == "suspended"
        assert "changed since it was decided" in result.pending[0].asks
        assert done == []
        approve(session, f"{name}.1")
        assert resumed(session, name).status == "finished"
        assert done == [("ada", 1)]


def test_an_approval_does_not_reach_another_tool_of_that_name(tmp_path: Path) -> None:
    @tool(name="mail")
    def other(to: str, times: int = 1) -> str:
        done.append("the other one")
        return f"sent to {to}"

    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        name = ran(session, mail).run
        approve(session, f"{name}.1")
        session.add_tool(other)
        result = resumed(session, name)
        assert (result.status, done) == ("suspended", [])
        approve(session, f"{name}.1")
        assert resumed(session, name).status == "finished"
        assert done == ["the other one"]


def test_what_was_allowed_for_the_run_does_not_reach_another_tool_of_that_name(tmp_path: Path) -> None:
    @tool(name="mail")
    def other(to: str, times: int = 1) -> str:
        done.append("the other one")
        return f"sent to {to}"

    turns = ([call("mail", to="a"), call("grant", to="b")], call("mail", to="c"), "done")
    with opened(tmp_path, *turns, tools=(mail, grant)) as session:
        name = ran(session, "mail", "grant").run
        approve(session, f"{name}.1", scope="run")
        approve(session, f"{name}.2")
        session.add_tool(other)
        for number in (1, 2):
            assert resumed(session, name).status == "suspended"
            approve(session, f"{name}.1" if number == 1 else f"{name}.2")
        assert resumed(session, name).pending[0].call == f"{name}.3"


def test_a_call_that_was_allowed_is_asked_about_where_the_rules_became_stricter(tmp_path: Path) -> None:
    @tool(privilege="execute_safe")
    def tidy() -> None:
        done.append("tidied")

    with opened(tmp_path, [call("tidy"), call("mail", to="ada")], "done", tools=(tidy, mail)) as session:
        name = ran(session, "tidy", "mail").run
        assert [item.tool for item in session.pending()] == ["mail"]
    stricter = Config(policy={"tidy": "ask"})
    with opened(tmp_path, "x", "done", tools=(tidy, mail), config=stricter) as session:
        assert [item.tool for item in resumed(session, name).pending] == ["tidy", "mail"]
        assert done == []


@pytest.mark.parametrize("number", [1, True, 1.0])
def test_an_edit_to_what_python_holds_equal_is_an_edit(tmp_path: Path, number: Any) -> None:
    @tool
    def note(number: Any) -> None:
        done.append(repr(number))

    with opened(tmp_path, call("note", number=1.0), "done") as session:
        name = ran(session, note).run
        approve(session, f"{name}.1", arguments={"number": number})
        assert resumed(session, name).status == "finished"
        assert done == [repr(number)]


def test_an_approval_of_something_else_than_what_was_seen_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, call("wipe", what="tmp"), "done") as session:
        name = ran(session, wipe).run
        seen = act_digest("wipe", {"what": "tmp"})
        approve(session, f"{name}.1", by="eve", arguments={"what": "everything"}, seen=seen)
        with pytest.raises(ConfigError, match="edited after it was shown"):
            approve(session, f"{name}.1", by="ada", seen=seen)
        approve(session, f"{name}.1", by="ada", seen=act_digest("wipe", {"what": "everything"}))
        assert resumed(session, name).status == "finished"
        assert done == ["everything"]


def test_allowing_a_tool_for_the_run_asks_no_more_and_ends_with_the_run(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), [call("mail", to="b"), call("mail", to="c")], "done") as session:
        name = ran(session, mail).run
        approve(session, f"{name}.1", scope="run")
        assert resumed(session, name).status == "finished"
        assert done == [("ada", 1), ("b", 1), ("c", 1)]
        assert ran(session, mail).status == "suspended"


@pytest.mark.parametrize(("kind", "name"), [(grant, "grant"), (wipe, "wipe")])
def test_admin_calls_cannot_be_allowed_for_a_whole_run(tmp_path: Path, kind: Any, name: str) -> None:
    arguments = {"to": "ada"} if name == "grant" else {"what": "all"}
    with opened(tmp_path, call(name, **arguments), "done") as session:
        run = ran(session, kind).run
        assert not session.pending()[0].grantable
        with pytest.raises(ConfigError, match="approve them one by one"):
            approve(session, f"{run}.1", scope="run")


def test_two_people_must_approve_and_between_them_it_still_waits(tmp_path: Path) -> None:
    with opened(tmp_path, call("wipe", what="all"), "done") as session:
        name = ran(session, wipe).run
        approve(session, f"{name}.1", by="ada")
        with pytest.raises(ConfigError, match="ada has approved"):
            approve(session, f"{name}.1", by="ada")
        [waiting] = session.pending()
        assert waiting.approved_by == ("ada",)
        assert resumed(session, name).status == "suspended"
        approve(session, f"{name}.1", by="eve")
        assert session.pending() == []
        assert resumed(session, name).status == "finished"
        assert done == ["all"]


def test_an_edit_voids_the_voices_that_were_for_something_else(tmp_path: Path) -> None:
    with opened(tmp_path, call("wipe", what="all"), "done") as session:
        name = ran(session, wipe).run
        approve(session, f"{name}.1", by="ada")
        approve(session, f"{name}.1", by="eve", arguments={"what": "some"})
        [waiting] = session.pending()
        assert (waiting.approved_by, waiting.arguments) == (("eve",), {"what": "some"})
        approve(session, f"{name}.1", by="ada")  # for what it is now
        assert resumed(session, name).status == "finished"
        assert done == ["some"]


def test_whoever_approved_may_still_edit(tmp_path: Path) -> None:
    with opened(tmp_path, call("wipe", what="all"), "done") as session:
        name = ran(session, wipe).run
        approve(session, f"{name}.1", by="ada")
        approve(session, f"{name}.1", by="ada", arguments={"what": "some"})
        assert session.pending()[0].approved_by == ("ada",)


def test_of_twenty_answers_at_once_the_first_wins(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        name = ran(session, mail).run
        gate, taken, late = threading.Barrier(20), [], []

        def answer(number: int) -> None:
            verdict = "approve" if number % 2 else "reject"
            gate.wait()
            try:
                taken.append(session.decide(Decide(f"{name}.1", verdict, by=f"person {number}")))  # type: ignore[arg-type]  # one of the two
            except NotFound as error:
                late.append(str(error))

        threads = [threading.Thread(target=answer, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(taken), len(late)) == (1, 19)
        assert all("It was answered already" in text for text in late)
        assert kinds(session, name).count(Kind.APPROVAL_DECIDED) == 1
        assert resumed(session, name).status == "finished"
        assert len(done) == (taken[0].decision == "approve")


def test_an_answer_needs_no_tool_an_edit_does(tmp_path: Path) -> None:
    with opened(tmp_path, [call("mail", to="ada"), call("mail", to="eve")], "done") as session:
        name = ran(session, mail).run
    with opened(tmp_path, "done") as session:  # the cell that defines the tool was not run yet
        with pytest.raises(ConfigError, match="mail is not in this session"):
            approve(session, f"{name}.1", arguments={"to": "bob"})
        approve(session, f"{name}.1")
        reject(session, f"{name}.2")
    with opened(tmp_path, "not asked again", "done", tools=(mail,)) as session:
        assert resumed(session, name).status == "finished"
    assert done == [("ada", 1)]


def test_there_is_nothing_to_answer_under_another_id(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        run = ran(session, mail).run
        for name in ("", "nonsense", "nonsense.1", f"{run}.2", f"{run}.", run):
            with pytest.raises(NotFound):
                approve(session, name)
        assert len(session.pending()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [({"verdict": "maybe"}, "'maybe' is no verdict"), ({"verdict": "approve", "outcome": "sent"}, "has not begun")],
)
def test_an_answer_that_makes_no_sense_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with opened(tmp_path, call("mail", to="ada"), "done") as session:
        name = ran(session, mail).run
        with pytest.raises(ConfigError, match=message):
            session.decide(Decide(f"{name}.1", **options))
        assert len(session.pending()) == 1


def test_text_that_is_no_utf8_is_approved_as_it_is_shown(tmp_path: Path) -> None:
    proposed = call("mail", to="half\ud800 nul\0 雪")
    with opened(tmp_path, proposed, "done") as session:
        name = ran(session, mail).run
        approve(session, f"{name}.1")
        assert resumed(session, name).status == "finished"
        assert done == [("half? nul\0 雪", 1)]


def test_the_agents_own_policy_may_only_tighten(tmp_path: Path) -> None:
    @tool(privilege="read_only")
    def look() -> str:
        return "saw"

    loose = Agent(name="loose", tools=(mail, look), policy={"mail": "auto", "look": "ask"})
    strict = Config(policy={"look": "disabled"})
    with opened(tmp_path, [call("mail", to="ada"), call("look")], "done", config=strict) as session:
        result = asyncio.run(session.run(loose, "Go."))
        assert [item.tool for item in result.pending] == ["mail"]
        decisions = session.journal.select("SELECT tool, decision FROM tool_calls ORDER BY call")
        assert decisions == [("mail", "ask"), ("look", "deny")]
