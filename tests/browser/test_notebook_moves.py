"""A notebook and its cells on the move in JupyterLab: what follows them, and what a copy gets for its own."""

from typing import Any

from tests.browser.notebook_page import NotebookPage, OpenNotebook
from tests.browser.server import Server
from tests.magics.scripts import script

RUNS = "print(get_ipython().run_line_magic('agent', 'runs --here')['asked'].tolist())"


def told(cell: dict[str, Any]) -> dict[str, Any]:
    """What the metadata of a cell's output says of its run."""
    [metadata] = [output["metadata"]["assent"] for output in cell["outputs"] if "assent" in output["metadata"]]
    return dict(metadata)


def asking(server: Server, open_notebook: OpenNotebook, name: str) -> NotebookPage:
    """A notebook of that name whose first cell has asked an agent, in a folder of its own."""
    folder = server.folder / name
    folder.mkdir()
    script(folder, "Yes.")
    ask = "%%agent --model scripted:script.json\nIs it?"
    notebook = open_notebook([ask, RUNS], kernel="assent", name=f"{name}/one.ipynb")
    notebook.run(0)
    notebook.wait_for_output(0, "Yes.")
    notebook.wait_until_done(0)
    return notebook


def test_a_cell_that_is_moved_keeps_its_id_and_one_that_is_pasted_gets_another(
    server: Server, open_notebook: OpenNotebook
) -> None:
    notebook = asking(server, open_notebook, "cells")
    run = told(notebook.save()["cells"][0])
    assert (run["cell"], run["status"]) == ("cell-0", "finished")
    notebook.command("notebook:move-cell-down")
    saved = notebook.save()["cells"]
    assert [cell["id"] for cell in saved] == ["cell-1", "cell-0"]
    assert told(saved[1]) == run
    notebook.command("notebook:duplicate-below")
    saved = notebook.save()["cells"]
    assert [cell["id"] for cell in saved][:2] == ["cell-1", "cell-0"]
    assert saved[2]["id"] not in ("cell-0", "cell-1")
    assert told(saved[2]) == run  # of the run that it shows, which was the first cell's
    notebook.run(2)
    notebook.wait_until_done(2)
    again = told(notebook.save()["cells"][2])
    assert (again["notebook"], again["cell"]) == (run["notebook"], saved[2]["id"])
    assert again["run"] != run["run"]


def test_a_notebook_that_is_renamed_finds_its_runs_and_a_copy_has_its_own(
    server: Server, open_notebook: OpenNotebook
) -> None:
    notebook = asking(server, open_notebook, "files")
    first = told(notebook.save()["cells"][0])
    folder = notebook.path.parent
    server.stop_kernels()
    notebook.path.rename(folder / "two.ipynb")
    (folder / "copy.ipynb").write_bytes((folder / "two.ipynb").read_bytes())
    for name, found in (("two.ipynb", "['Is it?']"), ("copy.ipynb", "[]")):
        moved = NotebookPage(notebook.page, server, f"files/{name}")
        moved.run(1)
        moved.wait_for_output(1, found)
        moved.run(0)
        moved.wait_until_done(0)
        moved.run(1)
        moved.wait_for_output(1, "'Is it?'")
        again = told(moved.save()["cells"][0])
        assert (again["notebook"] == first["notebook"]) == (name == "two.ipynb")
        server.stop_kernels()
