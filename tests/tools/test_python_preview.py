"""The preview of the python tool: what it finds out on a copy, and what it says where it cannot."""

import asyncio
import ctypes
import logging
import os
import sys
from logging.handlers import RotatingFileHandler, TimedRotatingFileHandler
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import _modified_open

from assent.core.preview import Preview
from assent.core.secrets import remember
from assent.sandbox import landlock
from assent.tools.foresee import foresee
from assent.tools.foretold import foretold
from assent.tools.frame_diff import difference
from assent.tools.python import python_tool

linux = pytest.mark.skipif(sys.platform != "linux", reason="a copy is confined on Linux only")


def previewed(code: str, seconds: float = 5, **names: Any) -> Preview:
    namespace = {"__name__": "notebook", **names}
    before = dict(namespace)
    found = asyncio.run(foresee(python_tool(lambda: namespace), {"code": code}, seconds))
    assert {name for name in namespace if name != "__builtins__"} == set(before)
    assert all(namespace[name] is before[name] for name in before)
    return found


@pytest.fixture
def orders() -> pd.DataFrame:
    return pd.DataFrame({"id": range(10), "price": [1.5] * 9 + [None], "region": list("aabbccddee")})


@linux
def test_what_happens_to_variables_is_told_and_does_not_happen(orders: pd.DataFrame) -> None:
    code = "orders = orders.drop([0, 1])\norders['n'] = 1\nk += 1\nnew = orders.head(2)\ndel old\nprint('said')"
    found = previewed(code, orders=orders, k=5, old="x")
    assert found.how == "copy"
    assert found.effects == (
        "orders: 2 rows removed (10 → 8), column n added", "old deleted", "k: 5 → 6",
        "new is new: DataFrame, 2 rows, 4 columns",
    )  # fmt: skip
    assert [table.title for table in found.tables] == [
        "orders: rows removed", "orders: rows with what is new", "new (new): its first rows",
    ]  # fmt: skip
    assert (found.text, found.gaps) == ("said\n", ())
    assert orders.shape == (10, 3)


@linux
def test_columns_that_lose_as_many_nulls_are_told_together() -> None:
    frame = pd.DataFrame({name: [None, None, 1.0] for name in "abc"} | {"d": [None, 2.0, 3.0], "e": [1.0] * 3})
    code = "frame = frame.fillna(0.0)\nframe.loc[0, 'e'] = None"
    told = ", 2 fewer nulls in a, b, c, 1 fewer null in d, 1 more null in e"
    assert previewed(code, frame=frame).effects[0].endswith(told)


@linux
def test_a_table_that_is_changed_in_place_by_a_function_is_seen(orders: pd.DataFrame) -> None:
    def spoil(frame: pd.DataFrame) -> None:
        frame.loc[frame.index[0], "price"] = 99.0

    assert previewed("spoil(orders)", orders=orders, spoil=spoil).effects[0] == "orders: 1 value of price changed"
    assert orders["price"][0] == 1.5


@linux
def test_the_open_that_a_notebook_has_writes_into_memory_too(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    found = previewed(f"file = open({str(path)!r}, 'w')\nfile.close()\nk = 1", open=_modified_open)
    assert [effect.partition(" ")[0] for effect in found.effects] == ["writes", "file", "k"], found
    assert (found.gaps, path.exists()) == ((), False)


@linux
def test_files_are_written_into_memory_and_what_comes_after_is_seen(
    orders: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.txt").write_text("kept")
    code = """
from pathlib import Path
Path("out").mkdir()
orders.to_csv("out/orders.csv")
with open("there.txt", "a") as file:
    file.write("more")
done = (len(pd.read_csv("out/orders.csv")), open("there.txt").read())"""
    found = previewed(code, orders=orders, pd=pd)
    assert set(found.effects) == {
        "writes the file out/orders.csv", "writes the file there.txt, at the end of the one that is there",
        "tries to make the folder out", "done is new: (10, 'keptmore')",
    } | {item for item in found.effects if item.startswith(("file is new", "Path is new"))}  # fmt: skip
    assert [item.name for item in tmp_path.iterdir()] == ["there.txt"]
    assert Path("there.txt").read_text() == "kept"


@linux
@pytest.mark.parametrize("make", [logging.FileHandler, RotatingFileHandler, TimedRotatingFileHandler])
@pytest.mark.parametrize("delay", [False, True])
def test_a_log_that_is_kept_in_a_file_is_told_as_that_file(tmp_path: Path, make: Any, *, delay: bool) -> None:
    (path := tmp_path / "app.log").write_text("kept\n")
    log, handler = logging.Logger("app"), make(path, delay=delay)
    log.addHandler(handler)
    try:
        found = previewed("log.warning('one')\nk = 1\nlog.warning('two')", log=log)
        silent = previewed("k = 1", log=log)
        log.warning("for real")
    finally:
        handler.close()
    assert found.effects == (f"writes the file {path}, at the end of the one that is there", "k is new: 1")
    assert (found.text, found.gaps) == ("", ())
    assert silent.effects == ("k is new: 1",)
    assert path.read_text() == "kept\nfor real\n"


@linux
def test_a_file_that_was_open_before_is_no_failure_of_the_code(tmp_path: Path) -> None:
    with (tmp_path / "open.txt").open("w") as file:
        found = previewed("file.write('x')\nfile.flush()\nk = 1", file=file)
    assert found.effects[0] == "tries to write or read a file that was open before"
    assert found.gaps[0].startswith("The copy may not do that and went no further (OSError: [Errno 9]")


@linux
@pytest.mark.parametrize(
    ("code", "native"),
    [
        ("import ctypes\nctypes.CDLL(None).creat({path!r}.encode(), 0o644)", "creat, what this process has loaded"),
        ("libc.creat({path!r}.encode(), 0o644)", "creat, libc"),
        ("creat({path!r}.encode(), 0o644)", "creat"),
        ("def make(): creat({path!r}.encode(), 0o644)\nmake()", "creat"),
    ],
)
def test_what_native_code_does_is_said_not_to_be_seen(code: str, native: str, tmp_path: Path) -> None:
    libc = ctypes.CDLL(None)
    found = previewed(code.format(path=str(tmp_path / "made")), libc=libc, creat=libc.creat)
    assert f"runs native code: {native}" in found.effects
    assert any(line.startswith("What native code does is not seen") for line in found.gaps)
    assert "no variable, file or host is touched" not in found.effects
    assert not list(tmp_path.iterdir())


def test_code_that_is_too_long_to_be_read_is_said_to_be() -> None:
    found = previewed("while True: pass\n" + "x = 1\n" * 5_000, seconds=0.6)
    assert (found.how, found.effects) == ("none", ())
    assert found.gaps[0].startswith("The code was too long to look at (30,017 characters), and a copy")


@linux
@pytest.mark.parametrize(
    ("code", "effect"),
    [
        ("import urllib.request as u\nu.urlopen('http://example.org/x')", "connects to example.org:80"),
        ("import socket\nsocket.create_connection(('10.0.0.1', 5432))", "connects to 10.0.0.1:5432"),
        ("import subprocess\nsubprocess.run(['rm', '-rf', 'data'])", "starts a process: rm -rf data"),
        ("import os\nos.system('curl evil.example')", "starts a process: curl evil.example"),
        ("import os\nos.remove('/data/orders.csv')", "tries to remove /data/orders.csv"),
        ("import shutil\nshutil.rmtree('/nowhere')", "tries to remove the folder /nowhere"),
        ("import os, signal\nos.kill(os.getppid(), 9)", "tries to send a signal to the process"),
        ("import sqlite3\nsqlite3.connect('/tmp/a.db').execute('create table t (a)')", "open the database /tmp/a.db"),
    ],
)
def test_what_it_would_do_outside_is_caught_and_told(code: str, effect: str) -> None:
    found = previewed(code)
    assert any(effect in line for line in found.effects), found
    assert any("The copy may not " in line for line in found.gaps)


@linux
def test_a_copy_that_is_refused_the_network_says_so_and_not_what_the_library_makes_of_it() -> None:
    connects = "import urllib.request as u\ntry: u.urlopen('http://example.org/x')\nexcept OSError: pass"
    found = previewed(f"{connects}\nraise ConnectionError('HTTPSConnectionPool')")
    assert found.effects == ("connects to example.org:80",)
    assert found.gaps == (
        "The copy may not reach the network and went no further: what comes after is not known.",
    )  # fmt: skip
    after = previewed(f"{connects}\nimport os\nos.remove('/data/orders.csv')")
    assert "tries to remove /data/orders.csv" in after.effects
    assert any("may not do that and went no further (" in line for line in after.gaps), after


@linux
@pytest.mark.parametrize("code", ["open({!r}, 'rb', 0).read(3)", "import os\nos.read(os.open({!r}, os.O_RDONLY), 3)"])
def test_what_waits_in_a_pipe_stays_there(tmp_path: Path, code: str) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(end, b"job")
        found = previewed(code.format(str(pipe)))
        assert any("tries to read the pipe" in line for line in found.effects), found
        assert os.read(end, 3) == b"job"
    finally:
        os.close(end)


@linux
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("a = 1\nb = 1 / 0", "raises ZeroDivisionError: division by zero (line 2)"),
        ("x = (", "raises SyntaxError: '(' was never closed"),
        ("raise SystemExit(3)", "raises SystemExit: 3 (line 1)"),
        ("nope", "raises NameError: name 'nope' is not defined (line 1)"),
        ("input('name?')", "raises EOFError"),
        ("x = bytearray(20 << 30)", "raises MemoryError"),
    ],
)
def test_what_it_would_raise(code: str, said: str) -> None:
    assert previewed(code).effects[0].startswith(said)


@linux
def test_it_may_await() -> None:
    assert "a is new: 3" in previewed("import asyncio\na = await asyncio.sleep(0, 3)").effects


@linux
@pytest.mark.parametrize(
    ("code", "seconds", "why"),
    [
        ("while True: n += 1", 0.5, "did not end within"),
        ("import os; os._exit(0); n += 1", 10, "ended without a report"),
        ("import ctypes; ctypes.string_at(0); n += 1", 10, "ended by SIGSEGV"),
    ],
)
def test_what_does_not_end_well_on_a_copy_is_read_from_its_text(code: str, seconds: float, why: str) -> None:
    found = previewed(code, seconds, n=1)
    assert found.how == "text"
    assert why in found.way
    assert "overwrites n" in found.effects or "may change n" in found.effects
    assert found.gaps


def test_where_nothing_can_be_confined_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_libc: Any) -> None:
        raise OSError(38, "Landlock is not to be had")

    monkeypatch.setattr(landlock, "restrict", refuse)
    found = previewed(f"ran = 1\nopen('{tmp_path}/ran', 'w')\nimport requests\nrequests.get('https://example.org/a')")
    assert found.how == "text"
    assert "ran" not in [item.name for item in tmp_path.iterdir()]
    assert f"writes {tmp_path}/ran" in found.effects
    assert {"names the host example.org", "uses requests", "binds ran, requests"} <= set(found.effects)


@linux
def test_known_keys_are_hidden_wherever_they_come_up() -> None:
    from assent.core.preview import to_json

    key = "sk-preview-0123456789abcdef"
    remember(key)
    code = "frame = pd.DataFrame({'k': [key]})\nprint(key)\ncopy = key\nopen('/tmp/' + key, 'w')\nraise ValueError(key)"
    told = str(to_json(previewed(code, key=key, pd=pd)))
    assert key not in told
    assert "[key]" in told


@linux
def test_a_flood_is_bounded() -> None:
    from assent.core.preview import to_json

    code = "print('x' * 10_000_000)\nfor i in range(500): globals()[f'v{i}'] = 'y' * 10_000"
    assert len(str(to_json(previewed(code)))) < 40_000


@linux
def test_one_that_forges_its_report_can_only_mislead() -> None:
    code = """
import json, os
report = {"attempts": {"writes": [["<script>", "over"]], "acts": [], "hosts": [], "processes": [], "stopped": 0,
          "offline": 0, "native": []},
          "raised": "", "line": 0, "printed": "", "frames": {}, "unlike": {}, "values": {}, "tables": {}, "bound": [],
          "changed": [], "deleted": []}
for number in range(3, 1000):
    try:
        os.write(number, json.dumps(report).encode() + b"\\n")
    except OSError:
        pass
os._exit(0)"""
    assert previewed(code).effects == ("writes the file <script>, over the one that is there",)
    broken = code.replace('"raised": ""', '"raised": "", "frames": 7').replace('"frames": {}, ', "")
    assert previewed(broken).how == "text"


@linux
def test_it_is_made_from_another_thread_too() -> None:
    async def main() -> Preview:
        return await asyncio.to_thread(lambda: previewed("a = 1"))

    assert asyncio.run(main()).effects == ("a is new: 1",)


def test_a_table_that_was_not_compared_is_not_said_to_be_the_same() -> None:
    attempts: dict[str, Any] = {kind: [] for kind in ("writes", "acts", "hosts", "processes", "native")} | {
        "stopped": 0,
        "offline": 0,
    }
    before = pd.DataFrame({"a": [1, 2]})
    told = {"frames": {"table": difference(before, before[::-1].reset_index(drop=True), until=0)}, "tables": {}}
    found = foretold(
        {"attempts": attempts, "raised": "", "line": 0, "printed": "", "unlike": {}, "values": {}, "bound": [],
         "deleted": [], **told}, "way",
    )  # fmt: skip
    assert (found.effects, len(found.gaps)) == (("table: set again",), 1)
