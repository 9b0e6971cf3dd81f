"""A tool that proposes: what it may return, and what becomes of the values in it."""

import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pytest
from tests.support.calls import acted

from assent.core.errors import ConfigError
from assent.tools.proposal import MOST, Proposal
from assent.tools.tool import tool

MAIL = Proposal("mail", {"to": "ada"}, why="It is due.")


@pytest.mark.parametrize(
    ("result", "text", "made"),
    [
        (MAIL, "1 proposal.", 1),
        ([MAIL, MAIL], "2 proposals.", 2),
        ([], "No proposals.", 0),
        (("Two are due.", [MAIL, MAIL]), "Two are due.", 2),
        (("One is due.", MAIL), "One is due.", 1),
        ("None is due.", "None is due.", 0),
        ((1, 2), "[1, 2]", 0),
    ],
)
def test_what_it_may_return(result: Any, text: str, made: int) -> None:
    @tool(proposes=True)
    def due() -> Any:
        return result

    output = acted(due)
    assert (output.text, len(output.proposals), output.error) == (text, made, False)


def test_it_reads_only_and_may_be_repeated_unless_it_says_otherwise() -> None:
    @tool(proposes=True)
    def due() -> None: ...

    @tool(proposes=True, privilege="admin")
    def sweep() -> None: ...

    assert (due.privilege, due.idempotent) == ("read_only", True)
    assert (sweep.privilege, sweep.idempotent) == ("admin", True)


def test_a_tool_that_is_not_declared_so_proposes_nothing() -> None:
    @tool
    def due() -> Any:
        return "One is due.", MAIL

    output = acted(due)
    assert (output.error, output.proposals) == (True, ())
    assert "@tool(proposes=True)" in output.text


def test_too_many_are_none() -> None:
    @tool(proposes=True)
    def due() -> Any:
        return [MAIL] * (MOST + 1)

    output = acted(due)
    assert (output.error, output.proposals) == (True, ())


def write() -> None:
    Path("out.txt").write_text("x")


def start() -> None:
    subprocess.run(["true"], check=True)


def connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def ponder() -> None:
    with tempfile.NamedTemporaryFile("w") as file, closing(sqlite3.connect("data.db")) as database:
        file.write("x")
        database.execute("SELECT 1").fetchall()


def fail() -> None:
    write()
    raise ValueError("too late")


@pytest.mark.parametrize(
    ("deed", "told"),
    [(write, "it wrote {here}/out.txt."), (start, "it used true."), (connect, "it connected to 127.0.0.1:"),
     (fail, "too late")],
)  # fmt: skip
def test_one_that_is_seen_to_act_itself_is_refused_and_what_it_did_is_said(
    deed: Callable[[], None], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    @tool(proposes=True, source="none")
    def sly() -> Any:
        deed()
        return "One is due.", MAIL

    output = acted(sly)
    assert (output.error, output.proposals) == (True, ())
    assert "did something itself" in output.text
    assert told.format(here=tmp_path) in output.text


def test_one_that_reads_and_keeps_nothing_proposes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data.db").touch()

    @tool(proposes=True)
    def due() -> Any:
        ponder()
        return MAIL

    assert acted(due).proposals == (MAIL,)


def test_one_that_says_from_where_it_reads_may_connect() -> None:
    @tool(proposes=True, source="web:127.0.0.1")
    def quoted() -> Any:
        connect()
        return MAIL

    assert acted(quoted).proposals == (MAIL,)


def test_values_of_a_table_become_json() -> None:
    values = {"day": date(2026, 1, 2), "sum": Decimal("1.10"), "count": numpy.int64(3)}
    assert Proposal("pay", values).to_json()["arguments"] == {"day": "2026-01-02", "sum": "1.10", "count": 3}


@pytest.mark.parametrize("arguments", [{"x": object()}, {"x": float("nan")}, {"x": numpy.array([1, 2])}, ["x"]])
def test_what_is_no_json_is_refused_at_once(arguments: Any) -> None:
    with pytest.raises(ConfigError):
        Proposal("pay", arguments)
