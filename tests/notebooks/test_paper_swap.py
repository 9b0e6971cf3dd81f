"""The notebook about trading within limits, from top to bottom with nobody to click, by the scripted model."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.notebooks.execution import Cell, copy_notebooks, environment, outputs, read, run

from assent import Session
from assent.store.access import EVERYONE

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(60)]  # the first test pays for the execution

SCRIPT = Path(__file__).parent / "paper_swap.json"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper-swap")
    made = copy_notebooks(folder).with_name("02-paper-swap.ipynb")
    run("assent", ["run", made, "--output", made], environment(folder, f"scripted:{SCRIPT}"), folder)
    return made


@pytest.fixture(scope="module")
def cells(notebook: Path) -> dict[str, Cell]:
    return read(notebook)


@pytest.fixture(scope="module")
def session(notebook: Path) -> Iterator[Session]:
    opened = Session(notebook.parent / ".assent", access=EVERYONE)
    yield opened
    opened.close()


def test_every_cell_ran(cells: dict[str, Cell]) -> None:
    code = [cell for cell in cells.values() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"] == []


def test_a_swap_within_the_limits_runs_on_its_own(cells: dict[str, Cell]) -> None:
    text = outputs(cells["within"])
    assert text.startswith("analyst · finished · ")
    assert "bought 1.331558 SOL for 200 dollars" in text


def test_each_bad_idea_is_denied_with_its_figure(cells: dict[str, Cell]) -> None:
    text = " ".join((outputs(cells["denied"]) + outputs(cells["refused-shown"])).split())
    for sentence in (
        "minimum liquidity: liquidity 900 is under the minimum of 10,000",
        "blacklist: token 'SCAM' is on the blacklist, as 'SCAM'",
        "slippage: price 140 is 6.92 % off the price 150.4003; at most 1 %",
        "max amount: dollars 700 is over the limit of 500",
        "daily volume: 850 of 1,000 used today by this user, this adds 250",
    ):
        assert sentence in text


def test_what_was_refused_is_told_in_its_order(cells: dict[str, Cell]) -> None:
    lines = outputs(cells["refused-shown"]).splitlines()
    told = [line.split(" · ")[:2] for line in lines if " · " in line]
    assert told == [["BONK", "100"], ["SCAM", "50"], ["SOL", "50"], ["SOL", "700"], ["SOL", "250"]]


def test_over_the_soft_limit_the_question_shows_the_figures(cells: dict[str, Cell]) -> None:
    text = " ".join(outputs(cells["asks"]).split())
    assert "suspended" in text
    assert "dollars 400 is over 300; 500 at most" in text
    assert "400 of 1800 dollars become about 2.66 SOL" in text
    assert "bought" in outputs(cells["approve"])


def test_what_was_spent_is_what_was_reserved(cells: dict[str, Cell], session: Session) -> None:
    rows = (
        session.sql("SELECT amounts ->> 'dollars' AS dollars, status FROM risk ORDER BY reserved").to_numpy().tolist()
    )
    assert rows == [["200", "committed"], ["400", "committed"], ["250", "committed"]]
    assert re.search(r"'USD': '1150\.0000'", outputs(cells["wallet"]))
