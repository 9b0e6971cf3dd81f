"""What code reads from outside is told by audit events, and by what it has at hand."""

import asyncio
import io
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assent.core.taint import Source
from assent.tools.python import run
from assent.tools.variables import VARIABLE, tables_read


def outside(code: str, **names: Any) -> list[Source]:
    """What a run of `code` has read, without the variables."""
    output = asyncio.run(run(code, names))
    assert not output.error, output.text
    return [source for source in output.sources or () if isinstance(source, Source) and source.kind != VARIABLE]


def read(code: str, **names: Any) -> set[str]:
    """The variables that `code` has read."""
    output = asyncio.run(run(code, names))
    found = [source for source in output.sources or () if isinstance(source, Source)]
    return {source.name for source in found if source.kind == VARIABLE}


def test_computing_reads_nothing() -> None:
    assert outside("import math, json\ny = math.sqrt(x) + len(json.dumps([1]))", x=2) == []


def test_a_file_is_a_source_by_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    code = "from pathlib import Path\nPath(name).read_text()"
    assert outside(code, name=str(tmp_path / "link.txt")) == [Source("file", str((tmp_path / "a.txt").resolve()))]


def test_a_file_that_is_only_written_is_none(tmp_path: Path) -> None:
    assert outside("from pathlib import Path\nPath(name).write_text('x')", name=str(tmp_path / "a.txt")) == []


def test_pandas_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    found = outside("import pandas\ndf = pandas.read_csv(name)", name=str(tmp_path / "a.csv"))
    assert Source("file", str((tmp_path / "a.csv").resolve())) in found


@pytest.mark.parametrize(
    "code",
    [
        "import threading\nt = threading.Thread(target=p.read_text)\nt.start(); t.join()\ndel t",
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as e: x = list(e.map(str, [p]))\n"
        "with ThreadPoolExecutor() as e: x = e.submit(p.read_text).result()",
        "import asyncio\nx = await asyncio.to_thread(p.read_text)",
    ],
)
def test_what_its_threads_read_counts(code: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert Source("file", str((tmp_path / "a.txt").resolve())) in outside(code, p=tmp_path / "a.txt")


def test_a_host_is_a_source() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = "import socket\nsocket.create_connection(('127.0.0.1', port)).close()"
        assert Source("web", f"127.0.0.1:{port}") in outside(code, port=port)


def test_a_program_is_a_source() -> None:
    code = f"import subprocess\nsubprocess.run([{sys.executable!r}, '-c', 'pass'], check=True)"
    assert [source.kind for source in outside(code)] == ["process"]


def test_a_database_file_is_a_source(tmp_path: Path) -> None:
    code = "import sqlite3\nsqlite3.connect(name).close()"
    assert outside(code, name=str(tmp_path / "a.db")) == [Source("file", str((tmp_path / "a.db").resolve()))]


def test_a_library_that_reads_on_its_own_counts_when_it_is_called_to_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    code = "import duckdb\nrows = duckdb.read_csv(name).fetchall()"
    assert Source("code", "duckdb") in outside(code, name=str(tmp_path / "a.csv"))


def test_a_function_of_the_notebooks_that_uses_one_counts_too() -> None:
    names: dict[str, Any] = {}
    asyncio.run(run("import duckdb\ndef go():\n    return duckdb.sql('select 1').fetchall()", names))
    found = asyncio.run(run("go()", names)).sources or ()
    assert Source("code", "duckdb") in found


@pytest.mark.parametrize("make", [lambda: subprocess.Popen([sys.executable, "-c", ""]), lambda: socket.socket()])
def test_what_is_open_already_counts(make: Any) -> None:
    with make() as it:
        if isinstance(it, subprocess.Popen):
            it.wait()
        assert [source.kind for source in outside("it2 = it", it=it)] == ["code"]


def test_an_open_file_is_its_path(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with (tmp_path / "a.txt").open() as file:
        assert outside("t = file.read()", file=file) == [Source("file", str((tmp_path / "a.txt").resolve()))]
    assert outside("t = buffer.read()", buffer=io.StringIO("x")) == []


def test_the_variables_that_code_reads_are_named() -> None:
    assert read("z = x + 1", x=1, y=2) == {"x"}
    assert read("z = dict(globals())", x=1, y=2) == {"x", "y"}
    assert read("z = _ + 1", _=1, y=2) == {"*"}
    assert read("z = Out[3]", Out={3: 1}) == {"*"}


def test_a_table_is_read_whatever_its_capitals() -> None:
    assert [source.name for source in tables_read('select * from "ORDERS" join x', ["Orders", "y", "x"])] == [
        "Orders",
        "x",
    ]
    assert len(tables_read("from query('from ' || 'orders')", ["Orders", "y"])) == 2
