"""A run at work in another process is paused and cancelled from this one, whatever that process is busy with."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.runs.faraway import code, wait
from tests.support.sessions import approve, opened, resumed

from assent.app import Session
from assent.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
Away = subprocess.Popen[str]


@contextlib.contextmanager
def at_work(folder: Path, what: str) -> Iterator[tuple[Session, Away, str]]:
    """A session beside a process that works on a run: the session, the process, the run."""
    command = [sys.executable, "-m", "tests.runs.faraway", str(folder / "workspace"), what]
    path = os.pathsep.join([str(ROOT), *sys.path])
    environment = os.environ | {"PYTHONPATH": path}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True) as away:
        try:
            assert away.stdout is not None
            assert away.stdout.readline() == "begun\n"
            with opened(folder / "workspace", "never", "done", tools=(code, wait)) as session:
                yield session, away, session.sql("SELECT run FROM runs").iloc[0, 0]
        finally:
            away.send_signal(signal.SIGCONT)
            away.kill()


def effects(folder: Path) -> list[str]:
    return (folder / "effects").read_text().split()


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("cancel", "cancelled")])
def test_at_once_while_the_model_answers(tmp_path: Path, verb: str, status: str) -> None:
    with at_work(tmp_path, "model") as (session, away, run):
        assert getattr(session, verb)(run, "enough", 0) == status
        assert away.wait(10) == 0
        result = session.result(run)
    assert (result.status, result.reason, result.text, result.partial) == (status, "enough", "Half an answer", True)


@pytest.mark.slow
def test_at_once_while_code_holds_everything_up(tmp_path: Path) -> None:
    with at_work(tmp_path, "code") as (session, away, run):
        assert session.pause(run, seconds=0) == "paused"
        assert away.wait(10) == 0
        again = resumed(session, run)
        assert [item.unknown for item in again.pending] == [True]
        approve(session, f"{run}.1", outcome="it acted")
        assert resumed(session, run).status == "finished"
    assert effects(tmp_path) == ["acted"]


@pytest.mark.slow
def test_a_pause_that_gives_time(tmp_path: Path) -> None:
    with at_work(tmp_path, "wait") as (session, away, run), ThreadPoolExecutor(1) as pool:
        pausing = pool.submit(session.pause, run)
        assert away.stdin is not None
        assert away.stdout is not None
        assert away.stdout.readline() == "asked\n"
        away.stdin.write("go\n")
        away.stdin.flush()
        assert pausing.result() == "paused"
        assert away.wait(10) == 0
        assert resumed(session, run).text == "done"
    assert effects(tmp_path) == ["acted"]


@pytest.mark.slow
def test_one_that_hangs_does_not_answer_and_one_that_is_dead_needs_not(tmp_path: Path) -> None:
    with at_work(tmp_path, "code") as (session, away, run):
        away.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(ConfigError, match="in another kernel, which does not answer"):
            session.cancel(run)
        assert time.monotonic() - began < 5
        away.kill()
        away.wait(10)
        assert session.cancel(run) == "cancelled"
        assert resumed(session, run).status == "suspended"
    assert effects(tmp_path) == ["acted"]
