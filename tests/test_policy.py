"""A session under a policy: what it stops, how a change reaches runs at work, and what Python may say."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, results, resumed, started, until
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide
from assent.core.config import Config
from assent.core.errors import ConfigError
from assent.core.events import Kind
from assent.models.scripted import ScriptedModel
from assent.tools.tool import tool

ASK = '[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "amount > 100"\n'


@tool(privilege="execute_safe")
def pay(amount: float) -> str:
    """Runs on its own."""
    return f"paid {amount:g}"


def write(folder: Path, text: str) -> None:
    (folder / "policy.toml").write_text(text)


def test_the_line_of_a_rule_reaches_whoever_is_asked(tmp_path: Path) -> None:
    with opened(tmp_path, call("pay", amount=50), call("pay", amount=500), "Done.", tools=(pay,)) as session:
        write(session.folder, ASK)
        result = ran(session, pay)
        [pending] = result.pending
        assert pending.rule == "policy.toml:1"
        assert pending.asks == "policy asks for pay where amount > 100"
        assert not pending.grantable
        approve(session, pending.call)
        assert resumed(session, result.run).status == "finished"
        assert [item.text for item in results(session, result.run)] == ["paid 50", "paid 500"]


def test_a_run_says_once_which_line_names_an_agent_that_is_not_there(tmp_path: Path) -> None:
    with opened(tmp_path, "Done.", "Done.", "Done.") as session:
        write(session.folder, '[agents.anlyst]\nceiling = "read_only"\n\n[agents.tester]\nceiling = "read_only"')
        told = [_remarks(session, ran(session).run) for _ in range(2)]
        said = "workspace, line 1: there is no agent 'anlyst' yet; did you mean 'analyst'?"
        assert told == [[said], []]
        write(session.folder, '[agents.anlyst]\nceiling = "read_only"\n\n[agents.intern]\nceiling = "read_only"')
        [other] = _remarks(session, ran(session).run)
        assert other.startswith("workspace, line 4: there is no agent 'intern' yet: the line counts once")


def test_of_a_line_for_the_agent_of_the_run_it_says_the_glob_that_is_no_tools(tmp_path: Path) -> None:
    with opened(tmp_path, "Done.") as session:
        write(session.folder, '[[rule]]\ntools = "mail_*"\nagent = "tester"\nmode = "ask"')
        [said] = _remarks(session, ran(session).run)
        assert said.startswith("workspace, line 1: no tool is called 'mail_*' yet")


@pytest.mark.usefixtures("people")
def test_a_run_says_once_which_line_asks_somebody_who_is_not_listed(tmp_path: Path) -> None:
    with opened(tmp_path, "Done.", "Done.", "Done.", tools=(pay,)) as session:
        write(session.folder, '[[rule]]\ntool = "pay"\nmode = "ask"\nwho = ["ghost"]\n\n[ask]\nwho = ["ana", "anna"]')
        told = [_remarks(session, ran(session).run) for _ in range(2)]
        ghost = (
            "'ghost' is not among %agent people: nobody can answer as ghost until %agent people add ghost has listed"
        )
        anna = "'anna' is not among %agent people; did you mean 'ana'?"
        assert told == [[f"workspace, line 1: {ghost} them.", f"workspace, line 6: {anna}"], []]


def _remarks(session: Session, run: str) -> list[str]:
    return list(session.events(run)[0].body.get("remarks", []))


def test_an_edit_that_a_rule_disables_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, call("pay", amount=500), tools=(pay,)) as session:
        write(session.folder, f'{ASK}[[rule]]\ntool = "pay"\nmode = "disabled"\nwhen = "amount > 1000"')
        [pending] = ran(session, pay).pending
        with pytest.raises(ConfigError, match="denied by policy: pay is disabled by policy where amount > 1000"):
            approve(session, pending.call, arguments={"amount": 5000})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mode = 1", r"policy\.toml:1: 'mode' is in no section"),
        ('[[rule]]\nmode = "ask"\ntool = "pya"', r"policy\.toml:3: unknown tool 'pya'; did you mean 'pay'\?"),
        ('[[rule]]\ntool = "python"\nmode = "auto"', r"policy\.toml:3: python is execute_risky, which asks"),
    ],
)
def test_no_run_starts_under_a_broken_policy(tmp_path: Path, text: str, expected: str) -> None:
    with opened(tmp_path, "Never said.", tools=(pay,)) as session:
        write(session.folder, text)
        with pytest.raises(ConfigError, match=expected):
            ran(session, pay)
        assert session.journal.select("SELECT count(*) FROM runs") == [(0,)]
        write(session.folder, ASK)
        assert ran(session, pay).status == "finished"


def test_an_approval_under_an_old_policy_is_asked_anew(tmp_path: Path) -> None:
    with opened(tmp_path, call("pay", amount=500), "Done.", tools=(pay,)) as session:
        write(session.folder, ASK)
        result = ran(session, pay)
        approve(session, result.pending[0].call)
        write(session.folder, f"# stricter\n{ASK.replace('100', '10')}")
        again = resumed(session, result.run)
        assert again.status == "suspended"
        assert again.pending[0].rule == "policy.toml:2"
        assert "the tools or rules have changed" in again.pending[0].asks


def test_a_change_reaches_a_run_that_waits_for_an_answer(tmp_path: Path) -> None:
    with opened(tmp_path, call("pay", amount=500), "Done.", tools=(pay,)) as session:
        write(session.folder, ASK)

        async def go() -> tuple[str, str]:
            stream = session.submit(started(pay, on_ask="wait", wait=10))
            first = await until(stream, Kind.CALL_DECIDED, "ask")
            write(session.folder, ASK.replace('"ask"', '"disabled"'))
            session.decide(Decide(first.call or "", "approve"))
            second = await until(stream, Kind.CALL_DECIDED, "deny")
            end = await until(stream, Kind.RUN_FINISHED)
            return second.body["rule"], end.run or ""

        rule, run = asyncio.run(go())
        assert rule == "policy.toml:1"
        assert [item.error for item in results(session, run)] == [True]


def test_a_change_reaches_the_next_step_of_a_run_at_work(tmp_path: Path) -> None:
    with opened(tmp_path, call("slow", amount=1), call("slow", amount=2), "Done.") as session:
        write(session.folder, "")

        @tool(privilege="execute_safe", name="slow")
        def tightening(amount: float) -> str:
            """Somebody writes a rule while it is at work."""
            write(session.folder, '[[rule]]\ntool = "slow"\nmode = "disabled"')
            return f"did {amount:g}"

        result = ran(session, tightening)
        assert [item.error for item in results(session, result.run)] == [False, True]


def test_a_waiver_that_the_organisation_takes_away_loosens_nothing_more_in_a_run_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = '[[rule]]\ntool = "slow"\nmode = "disabled"\n'
    file = tmp_path / "organisation.toml"
    file.write_text(f'{rule}[[waiver]]\ntool = "slow"\nreason = "month end"\nuntil = 2100-01-01\n')
    monkeypatch.setenv("ASSENT_POLICY", str(file))
    with opened(tmp_path / "w", call("slow", amount=1), call("slow", amount=2), "Done.") as session:

        @tool(privilege="execute_safe", name="slow")
        def tightening(amount: float) -> str:
            """Somebody takes the waiver away while it is at work."""
            file.write_text(rule)
            return f"did {amount:g}"

        result = ran(session, tightening)
        assert [item.error for item in results(session, result.run)] == [False, True]


def test_a_policy_that_breaks_while_a_run_is_at_work_ends_it_with_the_line(tmp_path: Path) -> None:
    with opened(tmp_path, call("slow", amount=1), call("slow", amount=2), "Done.") as session:

        @tool(privilege="execute_safe", name="slow")
        def breaking(amount: float) -> str:
            """Somebody breaks the policy while it is at work, the first time."""
            if amount == 1:
                write(session.folder, "[[rul]]")
            return f"did {amount:g}"

        result = ran(session, breaking)
        assert result.status == "failed"
        assert "policy.toml:1: unknown section 'rul'" in result.reason
        write(session.folder, "")
        assert resumed(session, result.run).status == "finished"


def test_a_ceiling_denies_what_its_agent_would_ask_for(tmp_path: Path) -> None:
    with opened(tmp_path, call("python", code="1"), "Done.") as session:
        write(session.folder, '[agents."*"]\nceiling = "execute_safe"')
        result = ran(session, "python")
        assert result.status == "finished"
        assert "may use nothing above execute_safe" in results(session, result.run)[0].text


def test_python_may_tighten_for_the_session_and_never_loosen(tmp_path: Path) -> None:
    with opened(tmp_path, call("pay", amount=5), "Done.", call("pay", amount=5), "Done.", tools=(pay,)) as session:
        rows = session.policy({"rule": [{"tool": "pay", "mode": "ask"}]})
        assert [(row.layer, row.line, row.tool) for row in rows if row.layer != "built-in"] == [("session", "1", "pay")]
        assert ran(session, pay).pending[0].rule == "session:1"
        with pytest.raises(ConfigError, match=r"session:1: python is execute_risky"):
            session.policy({"rule": [{"tool": "python", "mode": "auto"}]})
        assert session.explain("pay", {"amount": 5}).rule == "built-in"  # the analyst has no such tool
        session.policy({})
        assert ran(session, pay).status == "finished"


@pytest.mark.parametrize(
    "freed",
    [
        lambda session: session.policy({}),
        lambda session: session.tighten({"rule": [{"tool": "python", "mode": "ask"}]}),
        lambda session: setattr(session, "config", replace(session.config, admin=True)),
    ],
)
def test_an_agent_s_code_may_not_change_what_binds_it(tmp_path: Path, freed: Callable[[Session], Any]) -> None:
    with opened(tmp_path, call("meddle"), "Done.") as session:
        session.policy({"rule": [{"tool": "python", "mode": "disabled"}]})

        @tool(privilege="execute_safe")
        def meddle() -> str:
            """Would take away what holds."""
            freed(session)
            return "freed"

        result = ran(session, meddle)
        assert "are a person's to change, and this is a tool's call" in results(session, result.run)[0].text
        assert (session.policy()[-1].tool, session.config.admin) == ("python", False)


def test_the_organisation_s_file_holds_in_every_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "org.toml").write_text(ASK)
    monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "org.toml"))
    with opened(tmp_path / "work", call("pay", amount=500), tools=(pay,)) as session:
        assert ran(session, pay).pending[0].rule == "organisation's policy.toml:1"


def test_explain_says_what_a_run_would_meet(tmp_path: Path) -> None:
    agent = Agent(name="payer", tools=("pay",))
    session = Session(prepare(tmp_path / "w"), config=Config(agents=(agent,)), models=[ScriptedModel(())])
    try:
        session.add_tool(pay)
        write(session.folder, ASK)
        found = session.explain("pay", {"amount": "500"}, agent="payer")
        assert (found.decision.name, found.rule) == ("ask", "policy.toml:1")
    finally:
        session.close()
