"""`%agent costs`: sums by what one asks for; what has no price is named, not counted as nothing."""

from decimal import Decimal

import pytest
from tests.magics.shell import Shell

from assent.core.events import Event, Kind
from assent_magics.costs import BY


def answered(model: str, agent: str, cost: str | None, saved: str | None = None) -> Event:
    return Event(
        kind=Kind.MODEL_ANSWERED, run="r", model=model, agent=agent, notebook="n", cell="c",
        input_tokens=100, output_tokens=10, cost=None if cost is None else Decimal(cost), body={"saved": saved},
    )  # fmt: skip


@pytest.fixture
def spent(shell: Shell) -> Shell:
    events = [
        answered("maker:big", "ada", "0.30", "0.05"),
        answered("maker:big", "bob", "0.20"),
        answered("maker:small", "ada", "0.01"),
        answered("custom:mine", "ada", None),
    ]
    shell.desk.session.journal.append(events).result()
    return shell


def test_by_model_the_dearest_first(spent: Shell) -> None:
    table = spent.run("%agent costs")
    assert table["model"].tolist() == ["maker:big", "maker:small", "custom:mine"]
    assert table["answers"].tolist() == [2, 1, 1]
    assert [round(float(value), 2) for value in table["cost"][:2]] == [0.5, 0.01]
    assert table["cost"].isna().tolist() == [False, False, True]
    assert table["unpriced"].tolist() == [0, 0, 1]
    assert float(table["saved"][0]) == pytest.approx(0.05)
    assert "No price is known for the answers of custom:mine (1)" in spent.shown


def test_by_everything_that_it_offers(spent: Shell) -> None:
    for by in BY:
        table = spent.run(f"%agent costs {by}")
        assert table["answers"].sum() == 4, by
        assert round(float(table["cost"].sum()), 2) == 0.51, by
    assert spent.run("%agent costs agent")["agent"].tolist() == ["ada", "bob"]


def test_by_something_else(spent: Shell) -> None:
    said = spent.fail("%agent costs weather")
    assert "Costs can be added up by provider, model, agent, run, cell, user, hour, not by 'weather'." in said
