"""What is put aside of a text, and what stays because it may be data."""

import os
import sysconfig
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.core import secrets
from assent.core.messages import Text, ToolCall, ToolResult, assistant, results, user
from assent.history.portable import portable, told


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("<Model object at 0x7f3a5c0d2e10>", "<Model object at 0x…>"),
        ("the run k3k3k3k3k3 and its call k3k3k3k3k3.2", "the run RUN and its call RUN.2"),
        ('File "/x/ipykernel_4711/1234.py", line 3', 'File "/x/ipykernel/1234.py", line 3'),
        ("column 0x7f3a5c0d2e10", "column 0x7f3a5c0d2e10"),
        ("2024-01-31 12:00:00", "2024-01-31 12:00:00"),
        ("s\n3", "s\n3"),
    ],
)
def test_only_what_cannot_be_data_is_put_aside(text: str, same: str) -> None:
    assert portable(text, "k3k3k3k3k3", time.time()) == same


def test_places_of_this_machine_have_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", "/somewhere/tmp")
    folder, python = os.getcwd(), sysconfig.get_paths()["stdlib"]
    text = f"{folder}/out.csv, {tmp_path}/x, /somewhere/tmp/y, {python}/json/decoder.py, {folder}s, {folder}"
    assert portable(text) == "<folder>/out.csv, <home>/x, <tmp>/y, <python>/json/decoder.py, <home>/projects, <folder>"


def test_a_moment_within_the_run_is_hidden_and_no_other() -> None:
    since = time.time() - 60
    now = datetime.now(UTC)
    for moment in (now.isoformat(), datetime.now().isoformat(" ", "seconds"), f"{now:%Y-%m-%dT%H:%M:%SZ}"):
        assert portable(f"at {moment}.", "", since) == "at <now>.", moment
    earlier = (now - timedelta(seconds=100)).isoformat()
    assert portable(earlier, "", since) == earlier
    assert portable(now.isoformat()) == now.isoformat()  # of a prompt nobody knows when it was written
    assert portable("2024-13-77 99:00:00", "", since) == "2024-13-77 99:00:00"


def test_a_message_is_compared_without_ids_of_ours_and_what_its_vendor_reads() -> None:
    said = assistant(
        Text("at 0x7f3a5c0d2e10", {"maker": {"signature": "x"}}), ToolCall("k3k3k3k3k3.1", "sql", "{}"),
        ToolCall("call_7", "sql", "{}"),
    )  # fmt: skip
    first, second, third = told(said, "k3k3k3k3k3")["parts"]
    assert first == {"kind": "text", "text": "at 0x7f3a5c0d2e10"}  # the model's own words are given, not compared
    assert (second["id"], third["id"]) == ("", "call_7")
    [result] = told(results([ToolResult("k3k3k3k3k3.1", "sql", "at 0x7f3a5c0d2e10")]))["parts"]
    assert (result["id"], result["text"]) == ("", "at 0x…")


def test_known_keys_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())
    monkeypatch.setattr(secrets, "_forms", ())
    secrets.remember("sk-0123456789abcdef")
    assert portable("the key is sk-0123456789abcdef") == "the key is [key]"
    assert told(user("sk-0123456789abcdef"))["parts"] == [{"kind": "text", "text": "[key]"}]
