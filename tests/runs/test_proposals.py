"""What a tool proposes becomes calls of their own in the same batch, through the one gate."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.deeds import done
from tests.support.sessions import approve, opened, ran, reject, results, resumed

from assent import Proposal, idempotency_key
from assent.core.commands import ForkRun
from assent.core.events import Kind
from assent.core.ids import run_of
from assent.history.history import history
from assent.tools.tool import tool


@tool(proposes=True)
def due(who: str) -> Any:
    """Propose a letter to each of them."""
    done.append(f"due {who}")
    letters = [Proposal("mail", {"to": name}, why=f"{name} owes us money.") for name in who.split()]
    return f"{len(letters)} are due.", letters


@tool
def mail(to: str) -> str:
    done.append(f"mail {to}")
    return f"sent to {to}"


@tool(privilege="execute_safe")
def note(line: str) -> str:
    done.append(f"note {line}")
    return "noted"


TOOLS = (due, mail, note)


@pytest.mark.parametrize("mode", ["auto", "dry-run"])
def test_one_that_acts_itself_gets_nothing_performed_and_the_agent_reads_what_it_did(tmp_path: Path, mode: Any) -> None:
    @tool(proposes=True, source="none")
    def sly() -> Any:
        (tmp_path / "out.txt").write_text("acted")
        return [Proposal("note", {"line": "x"})]

    with opened(tmp_path, call("sly"), "Done.", tools=(sly, note)) as session:
        result = ran(session, sly, note, mode=mode)
        assert (result.status, done) == ("finished", [])
        [told] = results(session, result.run)
        assert (told.error, f"it wrote {tmp_path / 'out.txt'}. That is done." in told.text) == (True, True)
        rows = session.sql("SELECT name, how FROM writes")
        assert rows.to_numpy().tolist() == [[str(tmp_path / "out.txt"), "saved"]]


def told(session: Any, run: str) -> str:
    [result] = results(session, run)
    return str(result.text)


def test_each_is_asked_about_and_the_model_reads_what_became_of_it(tmp_path: Path) -> None:
    with opened(tmp_path, call("due", who="ada bob cy"), "done", tools=TOOLS) as session:
        run = ran(session, *TOOLS).run
        asked = session.pending()
        assert [item.call for item in asked] == [f"{run}.1-1", f"{run}.1-2", f"{run}.1-3"]
        assert asked[0].why == "ada owes us money."
        assert ("Proposed by", f"due, the call {run}.1.") in asked[0].notes
        approve(session, f"{run}.1-1")
        reject(session, f"{run}.1-2", "he has paid")
        approve(session, f"{run}.1-3", arguments={"to": "dora"})
        assert resumed(session, run).status == "finished"
        assert done == ["due ada bob cy", "mail ada", "mail dora"]
        assert told(session, run).splitlines() == [
            "3 are due.",
            "What became of what it proposed:",
            '1. mail {"to": "ada"}: sent to ada',
            '2. mail {"to": "bob"}: The analyst rejected this call: he has paid',
            '3. mail {"to": "dora"}: sent to dora',
        ]
        rows = session.sql("SELECT call, proposed_by FROM tool_calls ORDER BY call").fillna("").itertuples(index=False)
        assert [tuple(row) for row in rows] == [(f"{run}.1", ""), *[(f"{run}.1-{n}", f"{run}.1") for n in (1, 2, 3)]]
        calls = [row for row in history(session.journal, run) if row.what == "call"]
        assert [(row.tool, row.decision) for row in calls] == [
            ("due", "allow"), ("mail", "approve"), ("mail", "reject"), ("mail", "approve, edited"),
        ]  # fmt: skip
        assert str(asyncio.run(session.replay(run))).startswith("identical")
        assert len(done) == 3


def test_a_tool_that_the_agent_does_not_have_is_denied(tmp_path: Path) -> None:
    with opened(tmp_path, call("due", who="ada"), "done", tools=TOOLS) as session:
        result = ran(session, due)
        assert result.status == "finished"
        assert '1. mail {"to": "ada"}: Denied: The agent has no tool \'mail\'' in told(session, result.run)
        assert done == ["due ada"]


def test_arguments_that_do_not_fit_and_rules_hold_for_proposals_too(tmp_path: Path) -> None:
    @tool(proposes=True)
    def wish() -> Any:
        return [Proposal("mail", {"too": "ada"}), Proposal("note", {"line": "x"}), Proposal("mail", {"to": "bob"})]

    with opened(tmp_path, call("wish"), "done") as session:
        result = ran(session, wish, mail, note, policy={"note": "disabled"}, on_ask="deny")
        assert result.status == "finished"
        _, _, misfit, disabled, nobody = told(session, result.run).splitlines()
        assert "Wrong arguments for mail" in misfit
        assert "Denied: The tool 'note' is disabled by policy." in disabled
        assert "there is nobody to ask" in nobody
        assert done == []


def test_what_may_run_on_its_own_does(tmp_path: Path) -> None:
    @tool(proposes=True)
    def wish() -> Any:
        return Proposal("note", {"line": "x"})

    with opened(tmp_path, [call("wish"), call("note", line="y")], "done") as session:
        result = ran(session, wish, note)
        assert result.status == "finished"
        assert done == ["note y", "note x"]
        wished, noted = results(session, result.run)
        assert (wished.text.splitlines()[-1], noted.text) == ('1. note {"line": "x"}: noted', "noted")


def test_they_nest_so_deep_and_no_deeper(tmp_path: Path) -> None:
    @tool(proposes=True)
    def again() -> Any:
        done.append("again")
        return [Proposal("again"), Proposal("note", {"line": "x"})]

    with opened(tmp_path, call("again"), "done") as session:
        result = ran(session, again, note)
        assert result.status == "finished"
        assert done.count("again") == 2
        assert done.count("note x") == 2
        assert told(session, result.run).count("Denied: again proposes itself") == 1
        assert str(asyncio.run(session.replay(result.run))).startswith("identical")


def test_in_a_dry_run_they_are_told_and_not_performed(tmp_path: Path) -> None:
    with opened(tmp_path, call("due", who="ada"), "done", tools=TOOLS) as session:
        result = ran(session, *TOOLS, mode="dry-run")
        assert result.undone == (("mail", {"to": "ada"}),)
        assert done == ["due ada"]


def test_a_strict_run_wants_its_plan_for_them_too(tmp_path: Path) -> None:
    @tool(proposes=True)
    def wish() -> Any:
        return Proposal("note", {"line": "x"})

    with opened(tmp_path, call("wish"), "done") as session:
        result = ran(session, wish, note, mode="strict")
        assert "Denied: this run is strict" in told(session, result.run)
        assert done == []


def test_the_order_in_which_calls_end_names_nothing_otherwise(tmp_path: Path) -> None:
    """Two that propose, of which the second ends first: names and replay do not depend on it."""
    second = asyncio.Event()

    @tool(proposes=True)
    async def wish(line: str) -> Any:
        if line == "first":
            await second.wait()
        else:
            second.set()
        return Proposal("note", {"line": line})

    with opened(tmp_path, [call("wish", line="first"), call("wish", line="second")], "done") as session:
        result = ran(session, wish, note)
        assert result.status == "finished"
        started = [
            (event.call, event.body["arguments"]["line"])
            for event in session.journal.events(result.run)
            if event.kind is Kind.CALL_STARTED and event.tool == "note"
        ]
        assert sorted(started) == [(f"{result.run}.1-1", "first"), (f"{result.run}.2-1", "second")]
        assert str(asyncio.run(session.replay(result.run))).startswith("identical")


def test_a_fork_shares_what_was_done_and_asks_anew_of_the_rest(tmp_path: Path) -> None:
    with opened(tmp_path, call("due", who="ada bob"), "done", "and done", tools=TOOLS) as session:
        run = ran(session, *TOOLS).run
        approve(session, f"{run}.1-1")
        assert resumed(session, run).status == "suspended"
        assert done == ["due ada bob"]  # nothing of the batch acts while some of it waits
        reject(session, f"{run}.1-2")
        assert resumed(session, run).status == "finished"
        assert done == ["due ada bob", "mail ada"]
        fork = asyncio.run(session.drain(ForkRun(run, at=1, prompt="Go on."))).run
        assert done == ["due ada bob", "mail ada"]
        assert told(session, fork) == told(session, run)
        events = [event for event in session.events(fork) if event.kind is Kind.CALL_DECIDED]
        assert {event.body.get("proposed_by") for event in events} == {None, f"{fork}.1"}


def test_a_fork_from_the_middle_asks_about_the_proposals_that_are_open(tmp_path: Path) -> None:
    with opened(tmp_path, call("due", who="ada"), "done", tools=TOOLS) as session:
        run = ran(session, *TOOLS).run
        fork = asyncio.run(session.drain(ForkRun(run, at=1, prompt="Go on."))).run
        assert [item.call for item in session.pending(fork)] == [f"{fork}.1-1"]
        approve(session, f"{fork}.1-1")
        assert resumed(session, fork).status == "finished"
        assert done == ["due ada", "mail ada"]
        assert [item.call for item in session.pending(run)] == [f"{run}.1-1"]


def test_an_edit_of_the_call_that_proposed_takes_its_proposals_along(tmp_path: Path) -> None:
    with opened(tmp_path, call("due", who="ada"), "done", tools=TOOLS) as session:
        run = ran(session, *TOOLS).run
        approve(session, f"{run}.1-1")
        resumed(session, run)
        fork = asyncio.run(session.drain(ForkRun(run, call=f"{run}.1", arguments={"who": "bob"}))).run
        assert [item.arguments for item in session.pending(fork)] == [{"to": "bob"}]
        assert done == ["due ada", "mail ada", "due bob"]


def test_paused_between_proposal_and_act_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """The proposal is on the disk and undecided: it is neither lost nor made twice."""

    @tool(proposes=True, privilege="execute_safe")  # so that the run is on the disk by then
    def wish() -> Any:
        done.append("wish")
        session.pause(run_of(idempotency_key()))  # nothing is begun after it
        return Proposal("note", {"line": "x"})

    with opened(tmp_path, call("wish"), "done") as session:
        result = ran(session, wish, note)
        assert (result.status, done) == ("paused", ["wish"])
        [kept] = [event for event in session.journal.events(result.run) if event.body.get("proposals")]
        assert kept.body["proposals"] == [{"tool": "note", "arguments": {"line": "x"}, "why": ""}]
        assert resumed(session, result.run).status == "finished"
        assert done == ["wish", "note x"]
