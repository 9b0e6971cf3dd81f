"""The executed notebook without a kernel: nbval, papermill, nbconvert."""

import re
from pathlib import Path

import pytest
from tests.notebooks.execution import copy_notebooks, environment, outputs, read, run

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(60)]

ANSWER = "There are 152 Adelie, 68 Chinstrap and 124 Gentoo penguins."


def test_nbval_finds_the_stored_outputs_again(tmp_path: Path) -> None:
    notebook = copy_notebooks(tmp_path)
    options = ["--nbval", "--nbval-cell-timeout", "60", "-p", "no:cacheprovider", "-W", "default", "-q"]
    said = run("pytest", [*options, "--rootdir", tmp_path, notebook], environment(tmp_path), tmp_path)
    code = [cell for cell in read(notebook).values() if cell["cell_type"] == "code"]
    assert f"{len(code)} passed" in said


def test_papermill_leaves_a_whole_notebook(tmp_path: Path) -> None:
    notebook = copy_notebooks(tmp_path)
    options = ["--no-progress-bar", "--cwd", notebook.parent, notebook, tmp_path / "out.ipynb"]
    run("papermill", options, environment(tmp_path), tmp_path)
    cells = read(tmp_path / "out.ipynb")
    assert ANSWER in outputs(cells["species"])
    assert outputs(cells["change"]).startswith("analyst · suspended · ")
    assert "bill_ratio" in outputs(cells["changed"])


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_nbconvert_shows_static_forms(executed: Path, tmp_path: Path, form: str) -> None:
    options = ["nbconvert", "--to", form, "--output-dir", tmp_path, executed]
    run("jupyter", options, environment(tmp_path), tmp_path)
    page = next(tmp_path.glob(f"{executed.stem}.*")).read_text("utf-8")
    plain = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    for words in (ANSWER, "waiting for approval", "analyst wants to run python", "Answer with %agent approve"):
        assert words in plain
    assert "widget-view" not in page
