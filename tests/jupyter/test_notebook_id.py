"""A notebook's id: it stays with the file, wherever that is moved, and a copy gets its own."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.workspaces import prepare

from assent.core.events import Event, Kind, Scope
from assent.jupyter.notebook_id import id_of, identify, read
from assent.store.access import EVERYONE
from assent.store.journal import Journal
from assent.store.window import Window


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Window]:
    opened = Journal(prepare(tmp_path / "workspace"))
    yield Window(opened, EVERYONE, "default", "ana")
    opened.close()


def output(name: str) -> dict[str, Any]:
    metadata = {"assent": {"notebook": name}}
    return {"output_type": "display_data", "data": {"text/plain": "Yes."}, "metadata": metadata}


def write(path: Path, *names: str, cells: tuple[str, ...] = ("c1",)) -> str:
    """A notebook whose first cell has outputs with these ids; its path."""
    made = [{"cell_type": "code", "id": cell, "metadata": {}, "source": "", "outputs": []} for cell in cells]
    made[0]["outputs"] = [output(name) for name in names]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}))
    return str(path)


def begun(journal: Window, run: str, path: str, cell: str | None = None) -> None:
    scope = Scope(run=run, agent="analyst", user="ana", notebook=path, cell=cell)
    journal.append([scope.event(Kind.RUN_STARTED, body={"prompt": "?", "agent": {}})]).result()


def placed(journal: Window) -> list[Event]:
    return journal.events(kind=Kind.NOTEBOOK_PLACED)


def notebooks(journal: Window) -> list[tuple[Any, ...]]:
    return journal.select("SELECT id, path, runs FROM notebooks")


def test_a_new_notebook_gets_an_id_that_is_recorded_once(journal: Window, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb")
    name = identify(journal, path)
    assert name.isalnum()
    [event] = placed(journal)
    assert (event.notebook, event.body) == (path, {"id": name, "was": None})
    assert identify(journal, path) == name
    assert len(placed(journal)) == 1


def test_moved_it_keeps_its_id_and_its_runs_are_found(journal: Window, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb")
    name = identify(journal, path)
    begun(journal, "r1", path)
    write(tmp_path / "a.ipynb", name)
    (tmp_path / "reports").mkdir()
    moved = shutil.move(path, tmp_path / "reports" / "b.ipynb")
    assert identify(journal, str(moved)) == name
    begun(journal, "r2", str(moved))
    assert placed(journal)[1].body == {"id": name, "was": path}
    assert notebooks(journal) == [(name, str(moved), ["r1", "r2"])]


def test_moved_to_and_fro_the_last_place_counts(journal: Window, tmp_path: Path) -> None:
    name = identify(journal, write(tmp_path / "a.ipynb"))
    first, second = tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    write(first, name)
    for here, there in ((first, second), (second, first)):
        here.rename(there)
        assert identify(journal, str(there)) == name
    assert [(item, path) for item, path, _ in notebooks(journal)] == [(name, str(first))]
    assert len(placed(journal)) == 3


def test_a_copy_gets_an_id_of_its_own_and_keeps_that(journal: Window, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb")
    name = identify(journal, path)
    write(tmp_path / "a.ipynb", name)
    copy = str(shutil.copy(path, tmp_path / "copy.ipynb"))
    other = identify(journal, copy)
    assert other != name
    assert identify(journal, copy) == other  # restarted before it was saved
    write(tmp_path / "copy.ipynb", name, other)
    assert identify(journal, copy) == other  # with outputs from before the copy and from after it
    assert identify(journal, path) == name
    (tmp_path / "copy.ipynb").rename(tmp_path / "moved.ipynb")
    assert identify(journal, str(tmp_path / "moved.ipynb")) == other


def test_of_two_ids_the_younger_is_its_own_though_both_places_are_gone(journal: Window, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb")
    name = identify(journal, path)
    write(tmp_path / "a.ipynb", name)
    other = identify(journal, str(shutil.copy(path, tmp_path / "copy.ipynb")))
    write(tmp_path / "copy.ipynb", name, other)
    (tmp_path / "copy.ipynb").rename(tmp_path / "moved.ipynb")
    Path(path).unlink()
    assert identify(journal, str(tmp_path / "moved.ipynb")) == other


def test_cleared_outputs_do_not_change_it_while_a_cell_is_there(journal: Window, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cells=("c1", "c2"))
    name = identify(journal, path)
    begun(journal, "r1", path, cell="c2")
    assert identify(journal, path) == name
    write(tmp_path / "a.ipynb", cells=("c3", "c2"))
    assert identify(journal, path) == name


def test_another_notebook_that_is_untitled_too_is_another_one(journal: Window, tmp_path: Path) -> None:
    path = write(tmp_path / "Untitled.ipynb", cells=("c1",))
    name = identify(journal, path)
    begun(journal, "r1", path, cell="c1")
    write(tmp_path / "report.ipynb", name, cells=("c1",))  # renamed, with the kernel still running
    write(tmp_path / "Untitled.ipynb", cells=("d1",))
    other = identify(journal, path)
    assert other != name
    begun(journal, "r2", path, cell="d1")
    report = str(tmp_path / "report.ipynb")
    assert identify(journal, report) == name
    assert notebooks(journal) == [(name, report, ["r1"]), (other, path, ["r2"])]


def test_the_same_file_by_another_way_is_no_copy(journal: Window, tmp_path: Path) -> None:
    name = identify(journal, write(tmp_path / "a.ipynb"))
    write(tmp_path / "a.ipynb", name)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    assert identify(journal, str(tmp_path / "link" / "a.ipynb")) == name


def test_an_id_from_another_workspace_is_taken_over(journal: Window, tmp_path: Path) -> None:
    assert identify(journal, write(tmp_path / "a.ipynb", "elsewhere")) == "elsewhere"


def test_the_notebooks_own_metadata_counts_too(journal: Window, tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"metadata": {"assent": {"notebook": "own"}}, "cells": []}))
    assert identify(journal, str(path)) == "own"


def test_without_a_file_it_is_what_was_there_before(journal: Window, tmp_path: Path) -> None:
    path = str(tmp_path / "remote.ipynb")
    name = identify(journal, path)
    assert identify(journal, path) == name


NONSENSE = [
    "", "[]", "{", '{"cells": 5}', '{"cells": [5, {"outputs": null}], "metadata": null}',
    '{"metadata": {"assent": {"notebook": "a b"}}}', '{"metadata": {"assent": {"notebook": 7}}}',
    '{"metadata": {"assent": {"notebook": "' + "a" * 41 + '"}}}', '{"metadata": {"assent": []}}',
    '{"cells": [{"outputs": [3]}]}', '{"cells": [{"outputs": 3}]}', "[" * 100_000,
]  # fmt: skip


def test_a_file_that_makes_no_sense_is_no_error(journal: Window, tmp_path: Path, subtests: pytest.Subtests) -> None:
    for number, text in enumerate(NONSENSE):
        with subtests.test(text[:50]):
            path = tmp_path / f"{number}.ipynb"
            path.write_text(text)
            found = read(str(path))
            assert found is None or found.ids == frozenset()
            assert identify(journal, str(path)).isalnum()


def test_runs_from_before_there_were_ids_are_found_by_their_path(journal: Window, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb")
    begun(journal, "r1", path)
    assert notebooks(journal) == [(None, path, ["r1"])]
    name = identify(journal, path)
    begun(journal, "r2", path)
    assert notebooks(journal) == [(None, path, ["r1"]), (name, path, ["r2"])]


def test_of_an_executed_notebook_the_last_output_tells() -> None:
    cells = [{"outputs": [output("old"), output("new")]}, {"source": "text"}, {"outputs": [{"output_type": "stream"}]}]
    assert id_of({"cells": cells}) == "new"
    assert id_of({"cells": []}) == ""
