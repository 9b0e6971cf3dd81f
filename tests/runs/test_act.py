"""A call is judged as its tool gets it, and as it was written; the stricter counts, and what was judged is run."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, Field, StringConstraints
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, results, resumed, started, until

from assent.app import Session
from assent.core.agent import Agent
from assent.core.errors import ConfigError
from assent.core.events import Kind
from assent.risk import Act, daily_volume, max_amount, own
from assent.tools.tool import tool

Name = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True)]
done: list[Any] = []


class Order(BaseModel):
    amount: int = Field(validation_alias=AliasChoices("amt", "amount"))


@tool(privilege="execute_safe")
def mail(to: Name) -> None:
    done.append(to)


@tool(privilege="execute_safe")
def order(order: Order) -> None:
    done.append(order.amount)


@tool(privilege="execute_safe")
def pay(amount: Annotated[Decimal, AfterValidator(lambda value: 2 * value)], currency: str = "USD") -> None:
    done.append(amount)


@pytest.fixture(autouse=True)
def nothing_done() -> Iterator[None]:
    done.clear()
    yield
    done.clear()


def rule(tool: str, mode: str, when: str = "") -> dict[str, Any]:
    return {"rule": [{"tool": tool, "mode": mode, **({"when": when} if when else {})}]}


@pytest.mark.parametrize(
    ("asked", "ruled"),
    [
        (call("mail", to=" evil"), rule("mail", "disabled", "to == 'evil'")),
        (call("mail", to="EVIL"), rule("mail", "disabled", "to in ['evil', 'worse']")),
        (call("mail", to="EVIL"), rule("mail", "disabled", "to == 'EVIL'")),  # as written, too
        (call("order", order={"amt": 5000, "amount": 1}), rule("order", "disabled", "order.amount > 100")),
        (call("order", order={"amt": "1_000"}), rule("order", "disabled", "order.amt > 100")),
        (call("pay", amount=60), rule("pay", "disabled", "amount > 100")),
    ],
)
def test_a_rule_holds_for_what_the_tool_gets(tmp_path: Path, asked: Any, ruled: dict[str, Any]) -> None:
    with opened(tmp_path, [asked], "Done.", tools=(mail, order, pay)) as session:
        session.policy(ruled)
        result = ran(session, mail, order, pay)
        [told] = results(session, result.run)
        assert "is disabled by policy" in told.text
    assert done == []


def test_a_tool_runs_on_its_own_only_where_both_forms_keep_the_condition(tmp_path: Path) -> None:
    with opened(tmp_path, [call("mail", to="Ana")], [call("mail", to="ana")], "Done.", tools=(mail,)) as session:
        session.policy(rule("mail", "auto", "to == 'ana'"))
        result = ran(session, mail)
        [asked] = result.pending
        assert dict(asked.gets or {}) == {"to": "ana"}
        approve(session, asked.call)
        assert resumed(session, result.run).status == "finished"
    assert done == ["ana", "ana"]


def test_explaining_judges_what_the_tool_would_get(tmp_path: Path) -> None:
    with opened(tmp_path, "Done.", tools=(mail,)) as session:
        ran(session, mail)
        session.policy(rule("mail", "disabled", "to == 'evil'"))
        session.define(Agent(name="clerk", tools=(mail,)))
        assert session.explain("mail", {"to": " EVIL"}, agent="clerk").decision.name == "deny"
        assert session.explain("mail", {"to": "ana"}, agent="clerk").decision.name == "allow"
        assert session.explain("mail", {"to": 5}, agent="clerk").decision.name == "deny"


def test_a_limit_holds_what_the_tool_gets_and_what_was_written(tmp_path: Path) -> None:
    limited = tool(privilege="execute_safe", risk=max_amount("amount", 100))(pay.function)
    turns = [[call("pay", amount=60)], [call("pay", amount="1e1")], [call("pay", amount=50)]]
    with opened(tmp_path, *turns, "Done.", tools=(limited,)) as session:
        told = [item.text for item in results(session, ran(session, limited).run)]
    assert told[0] == "Denied: max amount: amount 120 is over the limit of 100"
    assert told[1].startswith("Denied: max amount: '1e1' is no amount")
    assert (told[2], done) == ("done", [Decimal(100)])


def test_what_is_reserved_is_what_the_tool_gets(tmp_path: Path) -> None:
    limited = tool(privilege="execute_safe", risk=daily_volume("amount", 100))(pay.function)
    with opened(tmp_path, [call("pay", amount=40)], [call("pay", amount=20)], "Done.", tools=(limited,)) as session:
        result = ran(session, limited)
        [reserved] = session.journal.events(result.run, kind=Kind.RISK_RESERVED)
        assert reserved.body["amounts"] == {"amount": "80"}
        assert results(session, result.run)[1].text.startswith("Denied: daily volume: 80 of 100 used today")
    assert done == [Decimal(80)]


def test_a_check_of_ones_own_sees_both_forms(tmp_path: Path) -> None:
    seen: list[Any] = []

    def look(act: Act) -> None:
        seen.append(act.arguments["to"])

    looked = tool(privilege="execute_safe", risk=own(look))(mail.function)
    with opened(tmp_path, [call("mail", to=" Ana")], "Done.", tools=(looked,)) as session:
        ran(session, looked)
    assert set(seen) == {"ana", " Ana"}


def test_what_json_cannot_say_counts_against_the_call(tmp_path: Path) -> None:
    @tool(privilege="execute_safe")
    def query(where: Annotated[Any, BeforeValidator(lambda name: [object()])]) -> None:
        done.append(where)

    with opened(tmp_path, [call("query", where="test")], "Done.", tools=(query,)) as session:
        session.policy(rule("query", "disabled", "where == 'prod'"))
        [told] = results(session, ran(session, query).run)
        assert "cannot be told" in told.text
    assert done == []


def test_what_was_judged_is_run_though_its_validator_would_say_something_else_the_next_time(tmp_path: Path) -> None:
    names = iter(["ana", "eve", "eve"])

    @tool(privilege="execute_safe")
    def mail(to: Annotated[str, AfterValidator(lambda _: next(names))]) -> None:
        done.append(to)

    with opened(tmp_path, [call("mail", to="x")], "Done.", tools=(mail,)) as session:
        session.policy(rule("mail", "disabled", "to == 'eve'"))
        ran(session, mail)
    assert done == ["ana"]


def test_a_yes_does_not_hold_for_what_the_tool_would_get_by_now(tmp_path: Path) -> None:
    accounts = {"A1": "ana"}

    @tool(privilege="execute_risky")
    def send(to: Annotated[str, AfterValidator(lambda code: accounts[code])]) -> None:
        done.append(to)

    with opened(tmp_path, [call("send", to="A1")], "Done.", tools=(send,)) as session:
        run = ran(session, send).run
        assert session.pending(run)[0].gets == {"to": "ana"}
        approve(session, f"{run}.1")
        accounts["A1"] = "eve"
        again = resumed(session, run)
        [asked] = again.pending
        assert (done, asked.gets) == ([], {"to": "eve"})
        assert asked.asks.endswith("that was not so when it was decided")
        approve(session, f"{run}.1")
        assert (resumed(session, run).status, done) == ("finished", ["eve"])


def test_arguments_that_fit_no_more_are_told_to_the_model(tmp_path: Path) -> None:
    accounts = {"A1": "ana"}

    def known(code: str) -> str:
        if code not in accounts:
            raise ValueError("no such account")
        return accounts[code]

    @tool(privilege="execute_risky")
    def send(to: Annotated[str, AfterValidator(known)]) -> None:
        done.append(to)

    with opened(tmp_path, [call("send", to="A1")], "Done.", tools=(send,)) as session:
        run = ran(session, send).run
        approve(session, f"{run}.1")
        accounts.clear()
        while (result := resumed(session, run)).pending:
            approve(session, f"{run}.1")
        [told] = results(session, run)
        assert (result.status, told.error) == ("finished", True)
        assert "no such account" in told.text
    assert done == []


def test_a_default_that_is_another_one_each_time_does_not_undo_a_yes(tmp_path: Path) -> None:
    numbers = iter(range(100))

    class Note(BaseModel):
        text: Name
        number: int = Field(default_factory=lambda: next(numbers))

    @tool(privilege="execute_risky")
    def keep(note: Note) -> None:
        done.append(note.text)

    with opened(tmp_path, [call("keep", note={"text": " A"})], "Done.", tools=(keep,)) as session:
        run = ran(session, keep).run
        approve(session, f"{run}.1")
        assert (resumed(session, run).status, done) == ("finished", ["a"])


def test_an_edit_is_judged_as_the_tool_gets_it_and_shown_so(tmp_path: Path) -> None:
    with opened(tmp_path, [call("mail", to="ana")], "Done.", tools=(mail,)) as session:
        session.policy({"rule": [{"tool": "mail", "mode": "disabled", "when": "to == 'evil'"},
                                 {"tool": "mail", "mode": "ask"}]})  # fmt: skip
        run = ran(session, mail).run
        assert session.pending(run)[0].gets is None
        with pytest.raises(ConfigError, match="denied by policy"):
            approve(session, f"{run}.1", arguments={"to": " EVIL"})
        approve(session, f"{run}.1", arguments={"to": " Ben"})
        edited = session.state(run).batch[f"{run}.1"]
        assert (edited.arguments, edited.gets) == ({"to": " Ben"}, {"to": "ben"})
        assert (resumed(session, run).status, done) == ("finished", ["ben"])


def test_an_amount_within_another_argument_counts_over_time(tmp_path: Path) -> None:
    limited = tool(privilege="execute_safe", risk=daily_volume("order.amt", 100))(order.function)
    turns = [[call("order", order={"amt": amount})] for amount in (60, 41, 40)]
    with opened(tmp_path, *turns, "Done.", tools=(limited,)) as session:
        told = [item.text for item in results(session, ran(session, limited).run)]
    assert told[1] == "Denied: daily volume: 60 of 100 used today, this adds 41"
    assert (told[0], told[2], done) == ("done", "done", [60, 40])


def test_what_is_denied_is_told_to_the_model_in_its_own_words(tmp_path: Path) -> None:
    with opened(tmp_path, [call("mail", to=" Ana")], "Done.", tools=(mail,)) as session:
        session.policy(rule("mail", "disabled", "to > 5"))
        [told] = results(session, ran(session, mail).run)
    assert "cannot be told here (to is ' Ana')" in told.text  # 'ana' would be found by no mask of 'Ana'


def test_values_that_somebody_has_changed_since_they_were_judged_are_judged_anew(tmp_path: Path) -> None:
    account = {"owner": "ana"}

    @tool(privilege="execute_risky")
    def send(to: Annotated[Any, AfterValidator(lambda _: account)]) -> None:
        done.append(to["owner"])

    async def answered(session: Session) -> None:
        stream = session.submit(started(send, on_ask="wait"))
        asking = await until(stream, Kind.CALL_DECIDED)
        given = session.state(asking.run or "")
        assert given.batch[asking.call or ""].gets == {"to": {"owner": "ana"}}
        account["owner"] = "eve"
        approve(session, asking.call or "")
        anew = await until(stream, Kind.CALL_DECIDED)
        assert (anew.body["gets"], done) == ({"to": {"owner": "eve"}}, [])
        await stream.aclose()

    with opened(tmp_path / "other", [call("send", to="A1")], "Done.", tools=(send,)) as session:
        asyncio.run(answered(session))
    assert done == []
