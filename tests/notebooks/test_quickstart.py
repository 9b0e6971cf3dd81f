"""The quickstart notebook from top to bottom with nobody to click, by the scripted model over the real CSV."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.notebooks.execution import QUICKSTART, Cell, outputs, read, source

from assent import Session
from assent.store.access import EVERYONE

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(60)]  # the first test pays for the execution


@pytest.fixture(scope="module")
def cells(executed: Path) -> dict[str, Cell]:
    return read(executed)


@pytest.fixture(scope="module")
def session(executed: Path) -> Iterator[Session]:
    opened = Session(executed.parent / ".assent", access=EVERYONE)  # whose runs are ana's
    yield opened
    opened.close()


def test_every_cell_ran(cells: dict[str, Cell]) -> None:
    code = [cell for cell in cells.values() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"] == []


@pytest.mark.parametrize(
    ("cell", "query", "row", "answer"),
    [
        ("species", "SELECT species, count(*)", "Adelie 152", "There are 152 Adelie, 68 Chinstrap and 124 Gentoo"),
        ("mass", "SELECT species, avg(body_mass_g)", "Gentoo 5076.02", "5076.02 g on average"),
        ("island", "SELECT island, count(*)", "Biscoe 168", "Biscoe has the most penguins: 168."),
        ("into", "SELECT island, species, count(*)", "Dream Chinstrap 68", "the largest is Gentoo on Biscoe"),
        ("ask", "SELECT count(*)", "2", "2 rows have no body mass."),
    ],
)
def test_a_question_is_shown_with_its_query_rows_and_answer(
    cells: dict[str, Cell], cell: str, query: str, row: str, answer: str
) -> None:
    text = outputs(cells[cell])
    assert text.startswith("analyst · finished · ")
    shown = re.search(r"(?m)^\s*" + r"\s+".join(row.split()) + r"\s*$", text)
    assert shown is not None, text
    places = [text.index("sql · done · read_only"), text.index(query), shown.start(), text.index(answer)]
    assert places == sorted(places)


def test_results_are_kept(cells: dict[str, Cell]) -> None:
    assert "2      Dream     Adelie        56" in outputs(cells["by-island"])
    assert outputs(cells["unweighed"]).split() == ["penguins", "0", "2"]


def test_what_asks_ends_suspended_and_says_what_to_do(cells: dict[str, Cell]) -> None:
    text = outputs(cells["change"])
    assert text.startswith("analyst · suspended · ")
    assert "python · waiting for approval · execute_risky" in text
    assert "Suspended: nobody can be asked here" in text
    assert "[pending] analyst wants to run python" in text
    assert "penguins['bill_ratio'] = " in text
    assert "Answer with %agent approve " in outputs(cells["pending"])


def test_an_approval_by_its_id_lets_the_run_go_on(cells: dict[str, Cell], executed: Path) -> None:
    text = outputs(cells["approve"])
    assert text.index(": approved. %agent resume ") < text.index("analyst · finished · ") < text.index("by ana.")
    assert "Added bill_ratio" in text
    penguins = pd.read_csv(executed.parent / "data" / "penguins.csv")
    ratio = penguins["bill_length_mm"][0] / penguins["bill_depth_mm"][0]
    assert f"{ratio:.6f}" in outputs(cells["changed"])


def test_the_tables_at_the_end_tell_it_all(cells: dict[str, Cell]) -> None:
    assert outputs(cells["runs"]).count("finished") == 6
    assert outputs(cells["calls-shown"]).count("read_only") == 5
    assert "approve        ana" in outputs(cells["approvals"])
    assert re.search(r"\b12\s+120\b", outputs(cells["costs"]))


def test_the_workspace_agrees(session: Session) -> None:
    runs = session.sql("SELECT prompt, status, answer FROM runs ORDER BY started")
    assert list(runs["status"]) == ["finished"] * 6
    assert runs["prompt"][0].startswith(
        "How many penguins of each species are in `penguins`?\n\npenguins: DataFrame, 344"
    )
    assert runs["answer"][4] == "2 rows have no body mass."
    decided = session.sql("SELECT tool, privilege, verdict, decided_by FROM approvals")
    assert decided.to_numpy().tolist() == [["python", "execute_risky", "approve", "ana"]]
    counted = session.sql("SELECT count(*) AS n, count(DISTINCT cell) AS cells, sum(input_tokens) AS i FROM costs")
    assert counted.to_numpy().tolist() == [[12, 0, 120]]


def test_the_file_says_which_notebook_and_which_runs_it_shows(
    cells: dict[str, Cell], executed: Path, session: Session
) -> None:
    [(name, path, runs)] = session.journal.select("SELECT id, path, runs FROM notebooks")
    assert (path, len(runs)) == (str(executed), 6)
    assert json.loads(executed.read_text("utf-8"))["metadata"]["assent"] == {"notebook": name}
    told = [item["metadata"]["assent"] for cell in cells.values() for item in cell.get("outputs", ()) if is_told(item)]
    assert {item["notebook"] for item in told} == {name}
    assert {item["run"] for item in told} == set(runs)
    assert [item["approved_by"] for item in told if item["approved_by"]] == [["ana"]]


def is_told(output: Cell) -> bool:
    return "assent" in output.get("metadata", {})


def test_the_notebook_in_the_repository_is_tidy() -> None:
    cells = [cell for cell in read(QUICKSTART).values() if cell["cell_type"] == "code"]
    shown = "\n".join([outputs(cell) for cell in cells])
    assert "by ana." in shown
    assert re.findall(r"Traceback|(?:^|\s)(?:/|[A-Z]:\\)\w+\S*", shown) == []
    asking = [cell for cell in cells if source(cell).startswith("%%agent")]
    assert len(asking) >= 6
    assert all("nbval-ignore-output" in cell["metadata"].get("tags", ()) for cell in asking)
