"""The files that a call leaves behind."""

import asyncio
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from tests.support.calls import acted

from assent.core.grant import Grant
from assent.tools.execute import execute
from assent.tools.files_written import Files, watched
from assent.tools.python import python_tool
from assent.tools.tool import Output, tool


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


@tool(privilege="execute_safe")
def save(name: str, how: str = "here") -> str:
    """Save."""
    if how == "thread":
        thread = threading.Thread(target=Path(name).write_text, args=("x\n",))
        thread.start()
        thread.join()
    elif how == "pool":
        with ThreadPoolExecutor(1) as pool:
            pool.submit(Path(name).write_text, "x\n").result()
    else:
        Path(name).write_text("x\n")
    if how == "fails":
        raise ValueError("too late")
    return "saved"


@tool(privilege="execute_safe")
async def save_soon(name: str) -> None:
    await asyncio.to_thread(Path(name).write_text, "x\n")


@pytest.mark.parametrize("how", ["here", "thread", "pool", "fails"])
def test_what_a_tool_writes_itself_is_told_with_its_result(here: Path, how: str) -> None:
    told = {"files": (str(here / "out.txt"),), "removed": (), "lines": 1}
    assert acted(save, name="out.txt", how=how).touched == told


def test_calls_at_the_same_time_are_not_mixed_up(here: Path) -> None:
    both = threading.Barrier(2, timeout=10)

    @tool(privilege="execute_safe")
    def pair(name: str) -> None:
        both.wait()
        thread = threading.Thread(target=Path(name).write_text, args=("x",))
        thread.start()
        thread.join()
        both.wait()

    async def calls() -> list[Output]:
        given = {f"r.{name}": {"name": name} for name in "ab"}
        grants = {key: Grant("r", key, "pair", values, "v") for key, values in given.items()}
        return await asyncio.gather(*[execute(pair, key, given[key], grants[key], 10) for key in given])

    touched = [output.touched or {} for output in asyncio.run(calls())]
    assert [names(item["files"]) for item in touched] == [["a"], ["b"]]
    assert names((acted(save_soon, name="c").touched or {})["files"]) == ["c"]


def test_a_tool_that_says_itself_what_it_wrote_is_believed_and_one_that_writes_nothing_says_nothing() -> None:
    @tool(privilege="execute_safe")
    def told(name: str) -> Output:
        Path(name).write_text("x")
        return Output("saved", touched={"files": ["s3://bucket/x"]})

    @tool(privilege="read_only")
    def reads() -> str:
        return Path("old.txt").read_text()

    assert acted(told, name="out.txt").touched == {"files": ["s3://bucket/x"]}
    assert acted(reads).touched is None


def test_the_python_tool_tells_its_files(here: Path) -> None:
    output = acted(python_tool(dict), code="with open('out.txt', 'w') as file: file.write('x')")
    assert output.touched is not None
    assert list(output.touched["files"]) == [str(here / "out.txt")]
