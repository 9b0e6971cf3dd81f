"""The files that a call leaves behind."""

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from tests.support.calls import acted

from assent.tools.files_written import Files, watched
from assent.tools.python import python_tool


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.txt").write_text("old")
    return tmp_path


def names(paths: tuple[str, ...]) -> list[str]:
    return [os.path.basename(path) for path in paths]


def test_what_is_written_and_moved_is_noted_and_what_is_read_is_not(here: Path) -> None:
    with watched() as files:
        pd.DataFrame({"a": [1]}).to_csv("out.csv")
        Path("old.txt").read_text()
        Path("part").write_text("x")
        os.replace("part", "whole")
        with closing(sqlite3.connect("data.db")) as database:
            database.execute("CREATE TABLE t (a)")
    assert names(files.written) == ["out.csv", "whole", "data.db"]
    assert files.written[0] == str(here / "out.csv")
    assert files.removed == ()


def test_what_is_removed_was_there_before() -> None:
    with watched() as files:
        Path("new.txt").write_text("x")
        os.remove("new.txt")
        os.remove("old.txt")
    assert (files.written, names(files.removed)) == ((), ["old.txt"])


def test_nothing_is_noted_outside_of_a_call_or_in_another_one() -> None:
    async def two() -> tuple[Files, Files]:
        return await asyncio.gather(one("a"), one("b"))

    async def one(name: str) -> Files:
        with watched() as files:
            await asyncio.to_thread(Path(name).write_text, "x")
            return files

    first, second = asyncio.run(two())
    Path("c").write_text("x")
    assert (names(first.written), names(second.written)) == (["a"], ["b"])
    assert names(first.written) == ["a"]


def test_a_write_that_fails_is_none() -> None:
    with watched() as files, pytest.raises(OSError, match="missing"):
        open("missing/x", "w")  # noqa: SIM115  # it raises
    assert files.written == ()


def test_another_thread_of_the_process_is_not_heard() -> None:
    with watched() as files:
        thread = threading.Thread(target=Path("other").write_text, args=("x",))
        thread.start()
        thread.join()
    assert files.written == ()


def test_the_python_tool_tells_its_files(here: Path) -> None:
    output = acted(python_tool(dict), code="with open('out.txt', 'w') as file: file.write('x')")
    assert output.touched is not None
    assert list(output.touched["files"]) == [str(here / "out.txt")]
