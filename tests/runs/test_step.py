"""One call: its intent is on disk before its effect, and its end is recorded whatever it does."""

import asyncio
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, kinds, opened, ran, results, resumed

from assent.core.commands import ResumeRun
from assent.core.events import Kind
from assent.tools.tool import tool

ENDLESS = "print('at it')\nbegun.set()\nwhile True: pass"


@pytest.mark.parametrize("privilege", ["execute_safe", "execute_risky", "admin"])
def test_the_intent_of_an_effect_is_on_disk_before_it(tmp_path: Path, privilege: Any) -> None:
    seen: list[Any] = []

    @tool(privilege=privilege)
    def act(x: int) -> None:
        seen.extend(session.journal.select("SELECT arguments, status FROM tool_calls"))

    with opened(tmp_path, call("act", x=1), "done") as session:
        result = ran(session, act)
        if result.status == "suspended":
            approve(session, f"{result.run}.1")
            resumed(session, result.run)
        assert seen == [('{"x":1}', "started")]


def test_a_call_takes_as_long_as_it_takes_and_says_so(tmp_path: Path) -> None:
    @tool(privilege="read_only", timeout=0.05)
    async def hang() -> None:
        await asyncio.Event().wait()

    with opened(tmp_path, [call("hang"), call("hang")], "done") as session:
        result = ran(session, hang)
        assert result.status == "finished"
        assert all("did not finish within 0.05 s" in item.text for item in results(session, result.run))
        for status, seconds in session.journal.select("SELECT status, seconds FROM tool_calls"):
            assert status == "failed"
            assert 0.04 < seconds < 5


@pytest.mark.slow
def test_fifty_megabytes_are_recorded_once_and_shown_to_the_model_in_part(tmp_path: Path) -> None:
    @tool(privilege="read_only")
    def flood() -> str:
        return "x" * 50_000_000

    with opened(tmp_path, call("flood"), "done") as session:
        result = ran(session, flood)
        assert result.status == "finished"
        [told] = results(session, result.run)
        assert len(told.text) < 21_000
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 2_000_000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_an_interrupt_of_the_python_tool_cancels_its_run_and_the_loop_lives(tmp_path: Path) -> None:
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    async def run() -> None:
        stopped = await session.drain(ResumeRun(name))
        assert stopped.status == "cancelled"
        other = await session.run("analyst", "Are you there?")  # on the same loop
        assert other.status == "suspended"

    with opened(tmp_path, call("python", code=ENDLESS), "done", namespace={"begun": begun}) as session:
        name = asyncio.run(session.run("analyst", "Go.")).run
        approve(session, f"{name}.1")
        thread = threading.Thread(target=interrupt)
        thread.start()
        asyncio.run(run())
        thread.join()
        again = resumed(session, name)
        assert (again.status, again.pending[0].unknown) == ("suspended", True)


def test_the_python_tool_ends_in_time_and_the_model_hears_of_it(tmp_path: Path) -> None:
    with opened(tmp_path, call("python", code=ENDLESS), "done", namespace={"begun": threading.Event()}) as session:
        name = ran(session, "python", tool_timeout=0.2).run
        approve(session, f"{name}.1")
        assert resumed(session, name).status == "finished"
        [told] = results(session, name)
        assert told.error
        assert told.text.startswith("at it\n")
        assert "ran longer than 0.2 s and was stopped" in told.text


def test_stopping_a_run_breaks_into_code_that_blocks_its_loop(tmp_path: Path) -> None:
    begun = threading.Event()

    def stop() -> None:
        begun.wait(10)
        session.stop(name)

    with opened(tmp_path, call("python", code=ENDLESS), "done", namespace={"begun": begun}) as session:
        name = ran(session, "python").run
        approve(session, f"{name}.1")
        thread = threading.Thread(target=stop)
        thread.start()
        assert resumed(session, name).status == "cancelled"
        thread.join()
        assert kinds(session, name)[-1] is Kind.RUN_CANCELLED


def test_what_python_changes_is_there_for_the_next_call(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {}
    script = [call("python", code="total = 20"), call("python", code="total += 1\ntotal * 2")], "done"
    with opened(tmp_path, *script, namespace=namespace) as session:
        name = ran(session, "python").run
        for number in (1, 2):
            approve(session, f"{name}.{number}")
        assert resumed(session, name).status == "finished"
        assert [item.text for item in results(session, name)] == ["bound: total", "result: 42\nchanged: total"]
        assert namespace["total"] == 21
