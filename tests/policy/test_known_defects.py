"""What others got wrong about approvals, one test each, told in plain words; details are for the rooms' own tests."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.deeds import done
from tests.support.sessions import approve, kinds, opened, ran, resumed
from tests.support.workspaces import prepare

from assent.core.clock import CLOCK
from assent.core.commands import Decide
from assent.core.config import Config
from assent.core.errors import ConfigError, GateError
from assent.core.events import Kind
from assent.core.grant import Grant, act_digest
from assent.policy.decide import Approval, permit
from assent.policy.facts import Call, facts
from assent.tools.tool import tool


@tool(privilege="execute_safe")
def note(text: str) -> str:
    done.append(f"noted {text}")
    return "noted"


@tool(privilege="execute_risky")
def pay(amount: int) -> str:
    done.append(f"paid {amount}")
    return "paid"


@tool(privilege="super_admin")
def wipe() -> str:
    done.append("wiped")
    return "wiped"


PAY = call("pay", amount=5)


def test_the_same_state_resumed_twice_runs_the_tool_once(tmp_path: Path) -> None:
    """OpenAI Agents: what was approved ran again with every resume of a saved state."""
    with opened(tmp_path, PAY, call("pay", amount=6), "done", tools=(pay,)) as session:
        run = ran(session, pay).run
        approve(session, f"{run}.1")
        for _ in range(3):
            assert resumed(session, run).status == "suspended"
        assert done == ["paid 5"]


def test_one_yes_is_good_for_one_execution() -> None:
    grant = Grant("r", "r.1", "pay", {"amount": 5}, "v")
    grant.redeem("r.1", "pay", {"amount": 5})
    with pytest.raises(GateError, match="already used"):
        grant.redeem("r.1", "pay", {"amount": 5})


@pytest.mark.parametrize("change", ["arguments", "tool", "rules"])
def test_a_yes_is_for_these_arguments_this_tool_and_these_rules(change: str) -> None:
    """An approval that was bound to a call's id alone carried whatever stood under that id later."""
    rules = facts({"pay": "execute_risky", "mail": "execute_risky"}, {"pay": "auto", "mail": "auto"})
    yes = Approval("ana", act_digest("pay", {"amount": 5}), rules.version)
    permit("r", "r.1", Call("pay", {"amount": 5}), rules, [yes])
    later = Call("mail" if change == "tool" else "pay", {"amount": 6 if change == "arguments" else 5})
    now = facts(rules.privileges, {**rules.policy, "pay": "ask"}) if change == "rules" else rules
    with pytest.raises(GateError, match="0 of 1 approvals"):
        permit("r", "r.1", later, now, [yes])


def test_a_yes_in_one_run_is_none_in_another_that_asks_the_same(tmp_path: Path) -> None:
    with opened(tmp_path, PAY, "done", tools=(pay,)) as session:
        first, second = ran(session, pay).run, ran(session, pay).run
        approve(session, f"{first}.1")
        assert resumed(session, second).status == "suspended"
        assert done == []


def test_an_edit_is_decided_by_policy_again(tmp_path: Path) -> None:
    """pydantic-ai #6968: what a person had typed over a call ran unseen by the rules."""
    folder = prepare(tmp_path)
    (folder / "policy.toml").write_text('[[rule]]\ntool = "pay"\nmode = "disabled"\nwhen = "amount > 100"\n')
    with opened(tmp_path, PAY, "done", tools=(pay,)) as session:
        run = ran(session, pay).run
        with pytest.raises(ConfigError, match="denied by policy"):
            approve(session, f"{run}.1", arguments={"amount": 1000})
        assert resumed(session, run).status == "suspended"
        assert done == []


def test_whoever_approves_sees_what_will_run(tmp_path: Path) -> None:
    with opened(tmp_path, PAY, "done", tools=(pay,)) as session:
        run = ran(session, pay).run
        with pytest.raises(ConfigError, match="edited after it was shown"):
            approve(session, f"{run}.1", seen=act_digest("pay", {"amount": 50}))
        approve(session, f"{run}.1", seen=act_digest("pay", session.pending()[0].arguments))
        assert resumed(session, run).status == "finished"
        assert done == ["paid 5"]


def test_nothing_of_a_batch_runs_before_all_of_it_is_decided(tmp_path: Path) -> None:
    """pydantic-ai: the sibling that needed no approval had run while the question was still open."""
    with opened(tmp_path, [call("note", text="first"), PAY], "done", tools=(note, pay)) as session:
        run = ran(session, note, pay).run
        assert done == []
        approve(session, f"{run}.2")
        resumed(session, run)
        assert sorted(done) == ["noted first", "paid 5"]


def test_a_question_that_expired_is_neither_denied_nor_ever_approved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = prepare(tmp_path)
    (folder / "policy.toml").write_text('[ask]\nexpires = "24h"\n')
    with opened(tmp_path, PAY, "done", tools=(pay,)) as session:
        run = ran(session, pay).run
        late = CLOCK.now() + 86_401
        monkeypatch.setattr(type(CLOCK), "now", lambda _: late)
        with pytest.raises(ConfigError, match="has expired"):
            approve(session, f"{run}.1")
        assert Kind.CALL_FINISHED not in kinds(session, run)  # denied it would have a result
        assert resumed(session, run).status == "suspended"
        assert session.sql("SELECT verdict FROM approvals")["verdict"].tolist() == ["expired", "pending"]
        assert done == []


def test_a_quorum_counts_different_people_who_have_proved_who_they_are(tmp_path: Path, people: None) -> None:
    """Microsoft's toolkit #3186: whoever said two names was two people."""
    with opened(tmp_path, call("wipe"), "done", tools=(wipe,)) as session:
        run = ran(session, wipe).run
        refused: list[tuple[dict[str, Any], str]] = [
            ({"by": "ada", "passphrase": ""}, "prove who they are"),
            ({"by": "ada", "passphrase": "a guess"}, "not the passphrase of ada"),
            ({"by": "nobody known", "passphrase": "a guess"}, "not the passphrase"),
        ]
        for options, says in refused:
            with pytest.raises(ConfigError, match=says):
                approve(session, f"{run}.1", **options)
        approve(session, f"{run}.1", by="ada")
        with pytest.raises(ConfigError, match="ada has approved"):
            approve(session, f"{run}.1", by="ada")
        assert resumed(session, run).status == "suspended"
        approve(session, f"{run}.1", by="eve")
        assert resumed(session, run).status == "finished"
        assert done == ["wiped"]


def test_only_those_whom_a_rule_names_count(tmp_path: Path, people: None) -> None:
    folder = prepare(tmp_path)
    (folder / "policy.toml").write_text('[[rule]]\ntool = "pay"\nmode = "ask"\nwho = ["ada", "eve"]\napprovers = 2\n')
    with opened(tmp_path, PAY, "done", tools=(pay,)) as session:
        run = ran(session, pay).run
        [item] = session.pending()
        assert (item.who, item.approvers, item.grantable) == (("ada", "eve"), 2, False)
        with pytest.raises(ConfigError, match="the rules ask ada or eve"):
            approve(session, f"{run}.1", by="ben")
        approve(session, f"{run}.1", by="ada")
        approve(session, f"{run}.1", by="eve")
        assert resumed(session, run).status == "finished"
        assert done == ["paid 5"]


def test_one_persons_no_ends_it(tmp_path: Path, people: None) -> None:
    with opened(tmp_path, call("wipe"), "done", tools=(wipe,)) as session:
        run = ran(session, wipe).run
        approve(session, f"{run}.1", by="ada")
        session.decide(Decide(f"{run}.1", "reject", by="eve"))
        assert resumed(session, run).status == "finished"
        assert done == []


def test_what_is_allowed_for_a_session_is_a_row_that_says_how_far_and_how_long(tmp_path: Path) -> None:
    with opened(tmp_path, PAY, "done", tools=(pay,)) as session:
        run = ran(session, pay).run
        approve(session, f"{run}.1", scope="session", by="ana")
        [row] = session.sql("SELECT * FROM grants").to_dict("records")
        assert [row[name] for name in ("id", "scope", "tool", "agent", "by", "status")] == [
            f"{run}.1", "session", "pay", "tester", "ana", "holds",
        ]  # fmt: skip
        assert row["until"] > row["given"]
        assert row["policy_version"] == session.state(run).batch[f"{run}.1"].policy_version


def test_what_was_approved_is_known_to_the_journal_alone(tmp_path: Path) -> None:
    """A state that carries its approvals with it can be approved by whoever writes it."""
    with opened(tmp_path / "here", PAY, "done", tools=(pay,)) as session:
        run = ran(session, pay).run
    shutil.copytree(tmp_path / "here", tmp_path / "before")
    with opened(tmp_path / "here", PAY, "done", tools=(pay,)) as session:
        approve(session, f"{run}.1")
    with opened(tmp_path / "before", PAY, "done", tools=(pay,)) as session:
        assert resumed(session, run).status == "suspended"
        assert done == []


def test_what_ran_before_a_question_does_not_run_again_when_it_is_answered(tmp_path: Path) -> None:
    """LangGraph: the code before an interrupt ran again with every resume, three times in all."""
    with opened(tmp_path, call("note", text="first"), PAY, "done", tools=(note, pay)) as session:
        run = ran(session, note, pay).run
        assert resumed(session, run).status == "suspended"
        approve(session, f"{run}.2")
        assert resumed(session, run).status == "finished"
        assert done == ["noted first", "paid 5"]
        assert kinds(session, run).count(Kind.MODEL_ANSWERED) == 3


def test_a_policy_that_is_missing_denies() -> None:
    """inspect_ai: a tool without a policy was approved."""
    with pytest.raises(GateError, match="No policy covers"):
        permit("r", "r.1", Call("pay", {}), facts({"pay": "read_only"}, {}))


def test_what_has_become_stricter_meanwhile_asks_again(tmp_path: Path) -> None:
    with opened(tmp_path, PAY, "done", tools=(pay,)) as session:
        run = ran(session, pay).run
        approve(session, f"{run}.1")
        session.config = Config(policy={"pay": "ask"})
        assert resumed(session, run).status == "suspended"
        assert done == []
