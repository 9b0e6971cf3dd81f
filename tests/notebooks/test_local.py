"""The real local model over the real CSV: the notebook's own questions, its answers held against pandas."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator

import pandas as pd
import pytest
from tests.notebooks.execution import NOTEBOOKS, QUICKSTART, read, source

from assent import Session
from assent_magics.interpolate import interpolate

pytestmark = [pytest.mark.local, pytest.mark.timeout(300)]  # on two busy cores the first question takes a minute

Expected = Callable[[pd.DataFrame], list[float]]


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    return pd.read_csv(NOTEBOOKS / "data" / "penguins.csv")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, penguins: pd.DataFrame) -> Iterator[Session]:
    opened = Session(tmp_path_factory.mktemp("workspace"), {"penguins": penguins})
    yield opened
    opened.close()


def question(cell: str) -> str:
    """What the notebook asks in a cell, without the magic."""
    return re.sub(r"^(?:%%agent.*\n|.*%agent ask )", "", source(read(QUICKSTART)[cell]))


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("species", lambda frame: frame["species"].value_counts()),
        ("mass", lambda frame: frame.groupby("species")["body_mass_g"].mean()),
        ("island", lambda frame: frame["island"].value_counts().head(1)),
        ("into", lambda frame: frame.groupby(["island", "species"]).size()),
        ("ask", lambda frame: [frame["body_mass_g"].isna().sum()]),
    ],
)
def test_the_numbers_in_an_answer_are_right(
    session: Session, penguins: pd.DataFrame, cell: str, expected: Expected, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.perf_counter()
    result = asyncio.run(session.run("analyst", interpolate(question(cell), {"penguins": penguins}), model="local"))
    with capsys.disabled():
        print(f"\n{time.perf_counter() - began:5.1f} s  {question(cell)}\n         {result.text}")
    assert result.status == "finished", result.reason
    for number in expected(penguins):
        assert any(abs(said - number) < 0.5 for said in numbers(result.text)), (number, result.text)


def test_the_change_is_proposed_and_waits(session: Session, penguins: pd.DataFrame) -> None:
    result = asyncio.run(session.run("analyst", interpolate(question("change"), {"penguins": penguins}), model="local"))
    assert result.status == "suspended"
    assert [(item.tool, item.privilege) for item in result.pending] == [("python", "execute_risky")]
    copy = penguins.copy()
    exec(result.pending[0].arguments["code"], {"penguins": copy})
    pd.testing.assert_series_equal(
        copy["bill_ratio"], penguins["bill_length_mm"] / penguins["bill_depth_mm"], check_names=False
    )
    assert "bill_ratio" not in penguins
