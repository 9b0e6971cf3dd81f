"""Which arguments a tool has, also within others; a check of one that there is not is refused where it is declared."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from assent.core.errors import ConfigError
from assent.risk import Check, blacklist, cool_down, daily_volume, max_amount, own, slippage
from assent.tools.paths import strange
from assent.tools.tool import tool


class Address(BaseModel):
    city: str
    next: "Address | None" = None


class Card(BaseModel):
    kind: Literal["card"]
    number: str = Field(alias="no")


class Order(BaseModel):
    amount: int = Field(validation_alias=AliasChoices("amt", "amount"))
    to: Address | None = None
    by: Card | Address
    labels: dict[str, int]
    lines: list[Address]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


@tool
def buy(order: Order, free: Any, opened: Open, coded: Annotated[Any, BeforeValidator(str)], limit: int = 1) -> None: ...


def found(path: str) -> Any:
    return strange(buy.arguments, buy.schema, path)


@pytest.mark.parametrize(
    "path",
    ["limit", "order", "order.amt", "order.amount", "order.to.city", "order.to.next.next.city", "order.by.no",
     "order.by.number", "order.by.city", "order.labels.anything", "free.anything", "opened.a.b", "coded.x"],
)  # fmt: skip
def test_what_a_call_can_have(path: str) -> None:
    assert found(path) is None


@pytest.mark.parametrize(
    ("path", "part", "there"),
    [
        ("lmit", "lmit", "order"),
        ("order.amout", "order.amout", "order.amt"),
        ("order.to.next.town", "order.to.next.town", "order.to.next.city"),
        ("limit.much", "limit.much", None),
        ("order.lines.city", "order.lines.city", None),
    ],
)
def test_what_no_call_can_have_and_what_there_is(path: str, part: str, there: str | None) -> None:
    said, instead = found(path)
    assert said == part
    assert there in instead if there else instead == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda name: max_amount(name, 100),
        lambda name: daily_volume(name, 100),
        lambda name: slippage(name, 0.1),
        lambda name: blacklist(name, ["x"]),
    ],
)
def test_a_check_of_an_argument_that_there_is_not_is_refused_where_the_tool_is_made(
    make: Callable[[str], Check],
) -> None:
    def pay(amount: Decimal, order: Order) -> None: ...

    tool(risk=make("amount"))(pay)
    tool(risk=[own(lambda act: None), cool_down(5), make("order.amount")])(pay)
    with pytest.raises(ConfigError, match=r"of 'pay' is of the argument 'amout', which .* there are amount, order"):
        tool(risk=make("amout"))(pay)
    with pytest.raises(
        ConfigError, match=r"'order\.amuont', which .* there are order\.amt, order\.to, .*order\.amount"
    ):
        tool(risk=make("order.amuont"))(pay)


def test_the_key_of_a_call_is_no_argument_of_it() -> None:
    with pytest.raises(ConfigError, match="there are none"):

        @tool(risk=max_amount("idempotency_key", 5))
        def pay(idempotency_key: str) -> None: ...
