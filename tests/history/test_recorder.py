"""Runs written into a recording: whole, readable, in place of an older one, and never at the cost of the run."""

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support.sessions import approve, opened, ran, resumed

from assent.core import secrets
from assent.core.config import Config
from assent.core.errors import ConfigError
from assent.core.events import Event, Kind
from assent.core.messages import ToolCall
from assent.history.recorder import Recorder, check
from assent.history.recording import read
from assent.tools.tool import tool


@tool
async def act(what: str) -> str:
    """Do something."""
    return f"did {what} with sk-0123456789abcdef"


ASKED = ToolCall("", "act", '{"what": "one"}')


def kinds(file: Path) -> list[tuple[int, str]]:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()[1:]]
    return [(row["run"], row["kind"]) for row in rows]


def test_a_run_that_goes_on_is_added_to_under_its_number(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    with opened(tmp_path / "w", ASKED, "Done.", tools=(act,), config=Config(record=str(file))) as session:
        first = ran(session, act, prompt="a").run
        assert kinds(file)[-1] == (1, "run_suspended")
        ran(session, act, prompt="b")
        approve(session, f"{first}.1")
        resumed(session, first)
    expected = ["run_started", "model_answered", "call_decided", "run_suspended"]
    assert kinds(file) == [
        *[(1, kind) for kind in expected], *[(2, kind) for kind in expected],
        *[(1, kind) for kind in ("approval_decided", "run_resumed", "call_finished", "model_answered", "run_finished")],
    ]  # fmt: skip
    first_take, second_take = read(file).takes
    assert (first_take.prompt, len(first_take.turns), first_take.end) == ("a", 2, "finished")
    assert (second_take.prompt, len(second_take.turns), second_take.end) == ("b", 1, "suspended")
    assert first_take.answers == ()  # it was given while the run stood still


def test_runs_at_the_same_time_are_whole(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"

    async def many(session: Any) -> None:
        await asyncio.gather(*[session.run("analyst", f"prompt {number}") for number in range(20)])

    with opened(tmp_path / "w", "Yes.", config=Config(record=str(file))) as session:
        asyncio.run(many(session))
    assert sorted(take.prompt for take in read(file).takes) == sorted(f"prompt {number}" for number in range(20))
    assert kinds(file) == [
        (number, kind) for number in range(1, 21) for kind in ("run_started", "model_answered", "run_finished")
    ]


def test_no_key_gets_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())
    monkeypatch.setattr(secrets, "_forms", ())
    secrets.remember("sk-0123456789abcdef")
    file = tmp_path / "answers.jsonl"
    with opened(tmp_path / "w", ASKED, "Done.", tools=(act,), config=Config(record=str(file))) as session:
        run = ran(session, act, prompt="Use sk-0123456789abcdef, as `sk-0123456789abcdef` says.").run
        approve(session, f"{run}.1")
        resumed(session, run)
    assert "sk-0123456789abcdef" not in file.read_text("utf-8")
    assert "Use [key], as `[key]` says." in file.read_text("utf-8")


def test_one_that_cannot_be_written_costs_a_warning_and_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with opened(tmp_path / "w", "Yes.", config=Config(record=str(folder / "answers.jsonl"))) as session:
        session.recordings.recorder(str(folder / "answers.jsonl"))
        folder.rmdir()
        with caplog.at_level(logging.WARNING):
            result = ran(session)
    assert result.status == "finished"
    assert f"The run {result.run} is not in the recording" in caplog.text
    assert "make it first" in caplog.text


def events(run: str) -> list[Event]:
    body = {"prompt": "Go.", "agent": {"name": "analyst"}}
    return [Event(kind=Kind.RUN_STARTED, run=run, seq=1, body=body), Event(kind=Kind.RUN_FINISHED, run=run, seq=2)]


def test_two_that_record_into_one_file_do_not_mix(tmp_path: Path) -> None:
    first, second = Recorder(tmp_path / "a.jsonl"), Recorder(tmp_path / "a.jsonl")
    first.write(events("one"), {})
    second.write(events("two"), {})
    with pytest.raises(ConfigError, match=r"Somebody else has begun another recording in .*a\.jsonl"):
        first.write(events("three"), {})
    assert kinds(tmp_path / "a.jsonl") == [(1, "run_started"), (1, "run_finished")]


def test_a_write_that_is_cut_short_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path / "a.jsonl")
    recorder.write(events("one"), {})
    before = (tmp_path / "a.jsonl").read_bytes()
    write = os.write
    monkeypatch.setattr("os.write", lambda handle, data: write(handle, data[:10]))
    with pytest.raises(OSError, match="No room"):
        recorder.write(events("two"), {})
    assert (tmp_path / "a.jsonl").read_bytes() == before


def test_what_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Mine.")
    with pytest.raises(ConfigError, match="is there and is no recording: name another file, or remove it"):
        check(tmp_path / "notes.txt")
    (tmp_path / "empty").touch()
    check(tmp_path / "empty")


@pytest.mark.parametrize(
    "text",
    ["", "[]\n", '{"recording": 1, "python": "3.12"}\n{"run": 1}\n', '{"recording": 1, "python": "3.12"}\n{"run": 1,',
     '{"recording": 1, "python": "3.12"}\n{"run": 1, "kind": "run_finished"}\n', '{"recording": 9}\n'],
)  # fmt: skip
def test_a_file_that_is_damaged_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(ConfigError, match=r"a\.jsonl is"):
        read(tmp_path / "a.jsonl")
