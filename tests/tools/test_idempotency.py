"""The key of a call: the model neither sees nor sets it, and what receives it does a thing once."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import acted
from tests.support.workspaces import prepare

import assent
from assent.core.errors import ConfigError
from assent.store.journal import Journal
from assent.tools.tool import tool


@tool(idempotent=True)
def pay(cents: int, idempotency_key: str) -> str:
    return f"{cents} {idempotency_key}"


def test_the_model_does_not_see_the_parameter() -> None:
    assert list(pay.schema["properties"]) == ["cents"]
    assert pay.schema["required"] == ["cents"]


def test_it_holds_the_calls_id() -> None:
    assert acted(pay, cents=5).text == "5 r.1"


def test_the_model_cannot_set_it() -> None:
    output = acted(pay, cents=5, idempotency_key="mine")
    assert output.error
    assert "idempotency_key: Extra inputs are not permitted" in output.text


def test_python_may_call_the_tool_with_a_key_of_its_own() -> None:
    assert pay(5, "by hand") == "5 by hand"


@pytest.mark.parametrize("kind", ["thread", "here", "async"])
def test_it_can_be_asked_for_wherever_the_call_runs(kind: str) -> None:
    def plain() -> str:
        return assent.idempotency_key()

    async def awaiting() -> str:
        return assent.idempotency_key()

    function: Any = awaiting if kind == "async" else plain
    assert acted(tool(here=kind == "here")(function)).text == "r.1"


def test_outside_a_call_there_is_none() -> None:
    with pytest.raises(ConfigError, match="No tool call is at work here"):
        assent.idempotency_key()


@pytest.fixture
def bank() -> Iterator[tuple[str, list[str], dict[str, int]]]:
    """A server that does what it is asked once for each key: its address, the keys that came, what was paid."""
    came: list[str] = []
    paid: dict[str, int] = {}

    class Bank(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            key = self.headers["Idempotency-Key"]
            came.append(key)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            paid.setdefault(key, body["cents"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"paid {paid[key]}".encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bank)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", came, paid
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_killed_after_the_payment_and_resumed_it_has_paid_once(
    bank: tuple[str, list[str], dict[str, int]], tmp_path: Path
) -> None:
    url, came, paid = bank
    deadly = tmp_path / "deadly"
    deadly.touch()
    command = [sys.executable, "-m", "tests.tools.paying", str(tmp_path / "workspace"), url, str(deadly)]
    assert subprocess.run(command, check=False, timeout=15).returncode == -signal.SIGKILL
    deadly.unlink()
    done = subprocess.run(command, check=True, timeout=15, capture_output=True, text=True)
    assert done.stdout == "finished\n"
    journal = Journal(prepare(tmp_path / "workspace"))
    [(run,)] = journal.select("SELECT run FROM runs")
    asked = journal.select("SELECT count(*) FROM events WHERE decision = 'ask'")
    journal.close()
    assert came == [f"{run}.1", f"{run}.1"]
    assert paid == {f"{run}.1": 995}
    assert asked == [(0,)]
