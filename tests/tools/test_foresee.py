"""Previews that tools give of their calls."""

import asyncio
import threading
import time
from typing import Any

import pandas as pd
import pytest

from assent.core.errors import ConfigError
from assent.core.preview import Preview
from assent.tools.foresee import foresee
from assent.tools.sql import sql_tool
from assent.tools.tool import Output, tool


def of(tool_: Any, seconds: float = 5, **arguments: Any) -> Preview:
    return asyncio.run(foresee(tool_, arguments, seconds))


def paying(preview: Any) -> Any:
    @tool(preview=preview)
    def pay(amount: int, to: str = "ana") -> str:
        """Pay."""
        raise AssertionError("a preview runs no tool")

    return pay


def test_a_tool_says_what_a_call_would_do_by_the_arguments_that_it_names() -> None:
    found = of(paying(lambda amount: f"{amount} leave the account"), amount=5)
    assert (found.how, found.effects) == ("tool", ("5 leave the account",))


def test_it_may_be_asynchronous_and_give_a_table_or_more() -> None:
    async def slow(to: str) -> pd.DataFrame:
        await asyncio.sleep(0)
        return pd.DataFrame({"to": [to]})

    assert of(paying(slow), amount=5).tables[0].rows == (("ana",),)
    assert of(paying(lambda: Output("one\ntwo")), amount=5).text == "one\ntwo"
    own = Preview("tool", "By the bank's rehearsal.", ("all fine",))
    assert of(paying(lambda: own), amount=5) == own


def fails() -> None:
    raise ValueError("the bank is closed")


def test_what_goes_wrong_is_a_gap() -> None:
    late = threading.Event()
    assert of(paying(None), amount=5).gaps == ("pay has no preview: what it would change is not known before it runs.",)
    assert of(paying(fails), amount=5).gaps == ("The preview of pay failed: ValueError: the bank is closed",)
    assert of(paying(lambda: late.wait(30)), 0.1, amount=5).gaps == ("The preview of pay was not there within 0.1 s.",)
    late.set()


class Slow:
    """Its text takes its time."""

    def __str__(self) -> str:
        return str(LATE.wait(30))

    __repr__ = __str__


LATE = threading.Event()


async def blocks() -> str:
    return str(LATE.wait(30))


async def never_ends() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "slow",
    [blocks, never_ends, Slow, lambda: Output("", {"type": "table", "columns": [], "rows": [[Slow()]], "total": 1}),
     lambda: pd.DataFrame({"a": [Slow()]})],
)  # fmt: skip
def test_no_preview_takes_longer_than_its_limit_nor_holds_up_the_loop(slow: Any) -> None:
    LATE.clear()

    async def beside() -> tuple[Preview, float]:
        began = time.monotonic()
        found = await foresee(paying(slow), {"amount": 5}, 0.1)
        return found, time.monotonic() - began

    found, seconds = asyncio.run(beside())
    LATE.set()
    assert found.gaps == ("The preview of pay was not there within 0.1 s.",)
    assert seconds < 10


def test_what_a_preview_gives_is_text_already() -> None:
    found = of(paying(lambda: Preview("tool", "By word.", (5,))), amount=5)  # type: ignore[arg-type]
    assert found.gaps[0].startswith("The preview of pay failed: TypeError")


def test_a_preview_of_other_arguments_than_the_tools_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes sum, which the tool does not"):
        paying(lambda sum: "")


@pytest.mark.parametrize(
    ("query", "effects"),
    [
        ("SELECT * FROM orders", ("reads orders (3 rows)", "gives about 3 rows", "changes nothing: it is read-only")),
        ("DROP TABLE orders", ("fails: This is a DROP statement and was not run. Only reading is allowed here: one "
                               "SELECT (or DESCRIBE, SUMMARIZE, EXPLAIN) statement.",)),
        ("SELECT * FROM nothing", ("fails: Catalog Error: Table with name nothing does not exist!",)),
    ],
)  # fmt: skip
def test_a_query_by_its_plan(query: str, effects: tuple[str, ...]) -> None:
    found = of(sql_tool(lambda: {"orders": pd.DataFrame({"a": [1, 2, 3]})}), query=query)
    assert (found.how, found.effects) == ("plan", effects)
