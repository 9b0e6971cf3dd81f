"""Risk checks within a run: judged before anything runs, held with the intent, settled with the result."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from tests.support.calls import call
from tests.support.deeds import done
from tests.support.peer import Peer
from tests.support.sessions import approve, opened, ran, reject, results, resumed
from tests.support.waiting import eventually

from assent import Proposal
from assent.app import Session
from assent.core.commands import Decide
from assent.core.errors import ConfigError, GateError
from assent.core.events import Kind
from assent.risk import NothingDone, cool_down, daily_volume, max_amount, own, rate, slippage
from assent.tools.tool import Tool, tool


def paying(*checks: Any, privilege: Any = "execute_safe", **options: Any) -> Tool[..., Any]:
    @tool(privilege=privilege, risk=checks, source="none", **options)
    def pay(amount: Decimal, price: Decimal = Decimal(100)) -> str:
        done.append(amount)
        return f"paid {amount}"

    return pay


def texts(session: Session, run: str) -> list[str]:
    return [item.text for item in results(session, run)]


def status(session: Session) -> list[tuple[Any, ...]]:
    return session.journal.select("SELECT reservation, status FROM risk ORDER BY reserved")


def test_what_is_over_the_limit_is_denied_with_the_figures(tmp_path: Path) -> None:
    pay = paying(max_amount("amount", 80), daily_volume("amount", 100))
    with opened(
        tmp_path, [call("pay", amount=60)], [call("pay", amount=60)], [call("pay", amount=81)], "Done."
    ) as session:
        result = ran(session, pay)
        assert texts(session, result.run) == [
            "paid 60",
            "Denied: daily volume: 60 of 100 used today, this adds 60",
            "Denied: max amount: amount 81 is over the limit of 80, "
            "and daily volume: 60 of 100 used today, this adds 81",
        ]
        assert done == [60]
        assert status(session) == [(f"{result.run}.1", "committed")]
        assert str(asyncio.run(session.replay(result.run))).startswith("identical")


def test_the_reservation_is_one_commit_with_the_intent_and_its_end_with_the_result(tmp_path: Path) -> None:
    with opened(tmp_path, [call("pay", amount=60)], "Done.") as session:
        run = ran(session, paying(rate(1, 60))).run
        batch = {event.kind: event.batch for event in session.journal.events(run)}
        assert batch[Kind.RISK_RESERVED] == batch[Kind.CALL_STARTED]
        assert batch[Kind.RISK_COMMITTED] == batch[Kind.CALL_FINISHED]


def test_of_calls_that_run_together_those_that_there_is_room_for_run(tmp_path: Path) -> None:
    """All are within the limit as they are decided; the journal holds the others back, and they are decided anew."""
    with opened(tmp_path, [call("pay", amount=30) for _ in range(5)], "Done.") as session:
        result = ran(session, paying(daily_volume("amount", 100)))
        said = texts(session, result.run)
        assert sorted(said) == ["Denied: daily volume: 90 of 100 used today, this adds 30"] * 2 + ["paid 30"] * 3
        assert len(done) == 3
        assert str(asyncio.run(session.replay(result.run))).startswith("identical")


def test_over_a_soft_limit_a_person_is_asked_and_reads_the_figures(tmp_path: Path) -> None:
    pay = paying(daily_volume("amount", 100, ask_over=50))
    with opened(tmp_path, [call("pay", amount=40)], [call("pay", amount=40)], "Done.") as session:
        result = ran(session, pay)
        [asked] = result.pending
        assert asked.asks == "daily volume: 40 of 100 used today, this adds 40, over 50"
        assert asked.notes == ()  # the sentence stands above already
        assert not asked.grantable
        approve(session, asked.call)
        assert resumed(session, result.run).status == "finished"
        assert done == [40, 40]


def test_of_calls_that_run_together_one_that_gets_over_the_soft_limit_is_asked_about(tmp_path: Path) -> None:
    pay = paying(daily_volume("amount", 100, ask_over=50))
    with opened(tmp_path, [call("pay", amount=40), call("pay", amount=40)], "Done.") as session:
        result = ran(session, pay)
        [asked] = result.pending
        assert "40 of 100 used today, this adds 40, over 50" in asked.asks
        assert "that was not so when it was decided" in asked.asks
        assert done == [40]
        approve(session, asked.call)
        assert resumed(session, result.run).status == "finished"
        assert done == [40, 40]


def test_a_question_for_another_reason_shows_the_figures_too(tmp_path: Path) -> None:
    pay = paying(max_amount("amount", 100), daily_volume("amount", 1000), privilege="execute_risky")
    with opened(tmp_path, [call("pay", amount=25)]) as session:
        [asked] = ran(session, pay).pending
        assert asked.asks == "pay is execute_risky"
        assert asked.notes == (
            ("max amount", "amount 25 of at most 100"),
            ("daily volume", "0 of 1,000 used today, this adds 25"),
        )


def test_an_approval_does_not_carry_what_others_have_used_up_meanwhile(tmp_path: Path) -> None:
    pay = paying(daily_volume("amount", 100), privilege="execute_risky")
    with opened(tmp_path, [call("pay", amount=60)], "Done.", tools=(pay,)) as session:
        result = ran(session, pay)
        session.check_and_reserve("pay", {"amount": 50})
        approve(session, result.pending[0].call)
        assert resumed(session, result.run).status == "finished"
        assert texts(session, result.run) == ["Denied: daily volume: 50 of 100 used today, this adds 60"]
        assert done == []
        assert str(asyncio.run(session.replay(result.run))).startswith("identical")


@pytest.mark.parametrize("amount", [101, "1e1", -1])
def test_an_edit_is_held_to_the_checks_before_it_is_taken(tmp_path: Path, amount: Any) -> None:
    pay = paying(max_amount("amount", 100), privilege="execute_risky")
    with opened(tmp_path, [call("pay", amount=60)]) as session:
        [asked] = ran(session, pay).pending
        with pytest.raises(ConfigError, match=r"denied by policy: max amount: "):
            approve(session, asked.call, arguments={"amount": amount})


@pytest.mark.parametrize(("error", "then"), [(ValueError("no"), "reserved"), (NothingDone("no funds"), "rolled back")])
def test_an_error_frees_nothing_unless_the_tool_is_certain(tmp_path: Path, error: Exception, then: str) -> None:
    @tool(privilege="execute_safe", risk=daily_volume("amount", 100))
    def pay(amount: int) -> None:
        raise error

    with opened(tmp_path, [call("pay", amount=60)], "Done.", tools=(pay,)) as session:
        result = ran(session, pay)
        assert status(session) == [(f"{result.run}.1", then)]
        if then == "reserved":
            session.rollback(f"{result.run}.1")
        else:
            assert texts(session, result.run) == ["pay did nothing: no funds"]
        session.check_and_reserve("pay", {"amount": 100})


def test_facts_come_from_the_tool_and_are_looked_up_again_before_the_act(tmp_path: Path) -> None:
    market = [Decimal(100), Decimal("100.5"), Decimal(100), Decimal(103)]  # decided, begun; decided, not begun
    pay = paying(slippage("price", "0.01"), facts=lambda: {"price": market.pop(0)})
    calls = [[call("pay", amount=number, price=100)] for number in (1, 2, 3)]
    with opened(tmp_path, *calls, "Done.") as session:
        result = ran(session, pay)
        assert done == [1]
        assert texts(session, result.run)[1] == "Denied: slippage: price 100 is 2.92 % off the price 103; at most 1 %"
        assert "price is not known, so this cannot be checked (IndexError" in texts(session, result.run)[2]
        assert str(asyncio.run(session.replay(result.run))).startswith("identical")


def test_a_tool_without_facts_says_what_is_missing(tmp_path: Path) -> None:
    with opened(tmp_path, [call("pay", amount=1)], "Done.") as session:
        result = ran(session, paying(slippage("price", "0.01")))
        assert "pay gives no facts: say @tool(facts=FUNCTION)" in texts(session, result.run)[0]


def test_facts_that_do_not_validate_are_told_without_half_of_a_value(tmp_path: Path) -> None:
    def quote() -> dict[str, Any]:
        return {"price": TypeAdapter(int).validate_python("4111 1111 1111 1111, of Anna Bergmann, until December")}

    with opened(tmp_path, [call("pay", amount=1)], "Done.") as session:
        [said] = texts(session, ran(session, paying(slippage("price", "0.01"), facts=quote)).run)
        assert "ValidationError: 1 validation error for int" in said
        assert "4111" not in said


def test_the_policy_only_tightens(tmp_path: Path) -> None:
    pay = paying(max_amount("amount", 50))
    with opened(tmp_path, [call("pay", amount=40)], [call("pay", amount=20)], "Done.") as session:
        (session.folder / "policy.toml").write_text(
            '[[risk]]\ntool = "pay"\ncheck = "max_amount"\nargument = "amount"\nlimit = 30\n\n'
            '[[risk]]\ntools = "p*"\ncheck = "max_amount"\nargument = "amount"\nlimit = 1000\n'
        )
        result = ran(session, pay)
        assert texts(session, result.run) == ["Denied: max amount: amount 40 is over the limit of 30", "paid 20"]
        decided = [event for event in session.journal.events(result.run) if event.kind is Kind.CALL_DECIDED]
        assert [event.body.get("rule") for event in decided] == ["policy.toml:1", None]


def test_another_limit_is_another_policy_so_that_approvals_do_not_reach_it(tmp_path: Path) -> None:
    with opened(tmp_path, tools=()) as session:
        agent = session.agent("analyst")
        versions = {
            session._catalog.rules(agent, {"pay": pay}).version
            for pay in (
                paying(), paying(max_amount("amount", 1)), paying(max_amount("amount", 2)), paying(rate(1, 60)),
                paying(own(lambda act: None)), paying(own(lambda act: "no")),
                paying(max_amount("amount", 1), facts=dict), paying(max_amount("amount", 1), facts=lambda: {"a": 1}),
            )
        }  # fmt: skip
        assert len(versions) == 8


_HANGING = """
import asyncio, threading, time
from pathlib import Path
from tests.support.calls import call
from tests.support.workspaces import prepare
from assent import Proposal
from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.models.scripted import ScriptedModel
from assent.risk import daily_volume
from assent.tools.tool import tool
@tool(privilege="execute_safe", risk=daily_volume("amount", 100), source="none")
def pay(amount: int) -> str:
    Path(folder, "begun").touch()
    time.sleep(600)
    return "paid"
session = Session(prepare(Path(folder)), config=Config(), models=[ScriptedModel([[call("pay", amount=60)], "Done."])])
agent = Agent(name="tester", tools=(pay,))
threading.Thread(target=lambda: asyncio.run(session.run(agent, "Go.")), daemon=True).start()
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The workspace of a process that was killed within a call that had reserved 60 of 100."""
    with Peer(tmp_path, _HANGING) as peer:
        eventually(lambda: (tmp_path / "begun").exists())
        peer.kill()
    return tmp_path


@pytest.mark.timeout(60)
@pytest.mark.parametrize("then", ["happened", "did not", "again"])
def test_killed_within_a_call_it_stays_counted_until_a_person_says_what_became_of_it(killed: Path, then: str) -> None:
    @tool(privilege="execute_safe", risk=daily_volume("amount", 100), source="none")
    def pay(amount: int) -> str:
        done.append(amount)
        return "paid"

    with opened(killed, [call("pay", amount=60)], "Done.", tools=(pay,)) as session:
        [(run,)] = session.journal.select("SELECT DISTINCT run FROM runs")
        name = f"{run}.1"
        assert status(session) == [(name, "reserved")]
        with pytest.raises(ConfigError, match="is of a call that has not ended"):
            session.rollback(name)
        [asked] = resumed(session, run).pending
        assert asked.unknown
        if then == "happened":
            session.decide(Decide(name, "approve", outcome="paid 60"))
        elif then == "again":
            approve(session, name)
        else:
            reject(session, name)
        assert resumed(session, run).status == "finished"
        assert status(session) == [(name, "rolled back" if then == "did not" else "committed")]
        assert done == ([60] if then == "again" else [])
        left = 100 if then == "did not" else 40
        session.check_and_reserve("pay", {"amount": left})


def test_a_cool_down_and_a_rate_hold_back_what_comes_too_soon(tmp_path: Path) -> None:
    with opened(tmp_path, [call("pay", amount=1)], [call("pay", amount=1)], "Done.") as session:
        result = ran(session, paying(cool_down(60), rate(1, 60)))
        assert "Denied: cool-down: the last call was 0 s ago; 60 s must pass" in texts(session, result.run)[1]


def test_what_a_tool_proposes_is_held_to_the_same_limits(tmp_path: Path) -> None:
    @tool(proposes=True)
    def rebalance() -> Any:
        return "two payments", [Proposal("pay", {"amount": 60}), Proposal("pay", {"amount": 60})]

    with opened(tmp_path, [call("rebalance")], "Done.", tools=(rebalance,)) as session:
        result = ran(session, rebalance, paying(daily_volume("amount", 100)))
        assert result.status == "finished"
        assert done == [60]
        assert [state for _, state in status(session)] == ["committed"]


def test_ones_own_code_is_held_to_the_policy_and_to_what_agents_have_used(tmp_path: Path) -> None:
    pay = paying(daily_volume("amount", 100))
    with opened(tmp_path, [call("pay", amount=60)], "Done.", tools=(pay,)) as session:
        ran(session, pay)
        held = session.check_and_reserve("pay", {"amount": 30})
        session.commit(held)
        (session.folder / "policy.toml").write_text(
            '[[risk]]\ntool = "pay"\ncheck = "max_amount"\nargument = "amount"\nlimit = 5\n'
        )
        with pytest.raises(GateError, match="pay is not within its limits"):
            session.check_and_reserve("pay", {"amount": 6})


def test_an_edit_over_what_is_left_of_the_day_is_refused_as_it_is_made(tmp_path: Path) -> None:
    pay = paying(daily_volume("amount", 100), rate(2, 60), privilege="execute_risky")
    with opened(tmp_path, [call("pay", amount=1)], [call("pay", amount=1)], "Done.", tools=(pay,)) as session:
        run = ran(session, pay).run
        approve(session, f"{run}.1", arguments={"amount": 60})
        resumed(session, run)
        with pytest.raises(ConfigError, match="daily volume: 60 of 100 used today, this adds 41"):
            approve(session, f"{run}.2", arguments={"amount": 41})
        approve(session, f"{run}.2", arguments={"amount": 40})
        assert (resumed(session, run).status, done) == ("finished", [60, 40])


def test_an_edit_is_judged_by_the_facts_of_its_own_arguments(tmp_path: Path) -> None:
    prices = {1: Decimal(100), 2: Decimal(500)}
    pay = paying(
        slippage("price", "0.01"),
        daily_volume("amount", 100),
        privilege="execute_risky",
        facts=lambda amount: {"price": prices[int(amount)]},
    )
    with opened(tmp_path, [call("pay", amount=1, price=100)], "Done.", tools=(pay,)) as session:
        result = ran(session, pay)
        approve(session, result.pending[0].call, arguments={"amount": 2, "price": 500})
        assert resumed(session, result.run).status == "finished"
        assert done == [2]
        assert session.sql("SELECT amounts ->> 'amount' AS amount FROM risk").to_numpy().tolist() == [["2"]]
