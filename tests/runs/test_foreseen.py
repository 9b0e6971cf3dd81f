"""What a person who is asked sees of a call's effect, and that finding it out has none."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed

from assent.core.agent import Agent
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.errors import ConfigError
from assent.core.events import Event, Kind
from assent.runs.foreseen import MOST
from assent.tools.tool import tool

linux = pytest.mark.skipif(sys.platform != "linux", reason="a copy is confined on Linux only")
done: list[str] = []


@tool(preview=lambda amount: f"{amount} leave the account")
def pay(amount: int) -> str:
    """Pay."""
    done.append(f"paid {amount}")
    return "paid"


@tool
def blind() -> str:
    """No preview."""
    return "done"


@linux
def test_a_question_says_what_code_would_change_and_nothing_has_changed(tmp_path: Path) -> None:
    names: dict[str, Any] = {"orders": pd.DataFrame({"a": [1, 2, None]})}
    with opened(tmp_path, [call("python", code="orders = orders.dropna()")], "Done.", namespace=names) as session:
        result = ran(session, "python", on_ask="suspend")
        (asked,) = session.pending()
        assert asked.preview
        assert asked.preview.effects == ("orders: 1 row removed (3 → 2), 1 fewer null in a",)
        assert len(names["orders"]) == 3
        approve(session, asked.call)
        assert resumed(session, result.run).status == "finished"
        assert len(names["orders"]) == 2


def test_each_call_that_asks_has_its_own_and_none_acts(tmp_path: Path) -> None:
    done.clear()
    with opened(tmp_path, [call("pay", amount=1), call("blind"), call("pay", amount=2)], "Done.") as session:
        ran(session, pay, blind, on_ask="suspend")
        found = [item.preview for item in session.pending()]
        assert [item.effects if item else None for item in found] == [
            ("1 leave the account",), (), ("2 leave the account",),
        ]  # fmt: skip
        assert found[1]
        assert found[1].gaps == ("blind has no preview: what it would change is not known before it runs.",)
        assert done == []


def test_an_edit_makes_it_outdated_and_a_new_question_has_a_new_one(tmp_path: Path) -> None:
    with opened(tmp_path, [call("pay", amount=1)], "Done.") as session:
        result = ran(session, pay, on_ask="suspend", policy={"pay": "ask"})
        (asked,) = session.pending()
        approve(session, asked.call, arguments={"amount": 7})
        preview = session.state(result.run).batch[asked.call].preview
        assert preview
        assert preview.outdated
        assert preview.effects == ("1 leave the account",)


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    with opened(tmp_path, [call("pay", amount=1)], "Done.", config=Config(preview=False)) as session:
        ran(session, pay, on_ask="suspend")
        assert [item.preview for item in session.pending()] == [None]


def test_no_more_than_a_few_at_once(tmp_path: Path) -> None:
    calls = [call("pay", amount=number) for number in range(MOST + 2)]
    with opened(tmp_path, calls, "Done.") as session:
        ran(session, pay, on_ask="suspend")
        gaps = [item.preview.gaps for item in session.pending() if item.preview]
        assert gaps == [()] * MOST + [(f"More than {MOST} calls ask at once; only the first were tried.",)] * 2


def test_what_runs_on_its_own_or_is_denied_has_none(tmp_path: Path) -> None:
    @tool(privilege="execute_safe", preview=lambda: pytest.fail("it is not asked about"))
    def safe() -> str:
        """Safe."""
        return "done"

    with opened(tmp_path, [call("safe"), call("blind")], "Done.") as session:
        result = ran(session, safe, blind, policy={"blind": "disabled"})
        decided = [event for event in session.journal.events(result.run) if event.kind is Kind.CALL_DECIDED]
        assert [("preview" in event.body) for event in decided] == [False, False]


def test_a_run_that_is_cancelled_meanwhile_asks_nothing(tmp_path: Path) -> None:
    started = asyncio.Event()

    async def endless() -> str:
        started.set()
        await asyncio.sleep(60)
        return ""

    @tool(preview=endless)
    def slow() -> str:
        """Slow."""
        return "done"

    async def main() -> list[Event]:
        stream = session.submit(StartRun("Go.", Agent(name="tester", tools=(slow,)), on_ask="wait", wait=60))

        async def read() -> list[Event]:
            return [item async for item in stream if isinstance(item, Event)]

        first = await anext(stream)
        reading = asyncio.ensure_future(read())
        await started.wait()
        session.stop(first.run or "")
        return await reading

    with opened(tmp_path, [call("slow")], "Done.", config=Config(preview_seconds=30)) as session:
        assert asyncio.run(main())[-1].kind is Kind.RUN_CANCELLED
        assert session.pending() == []


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="preview = false"):
        Config(preview_seconds=0)
