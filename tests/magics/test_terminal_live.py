"""`%agent` where there is a terminal: plain IPython, and `jupyter console` over the Assent kernel."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pexpect  # type: ignore[import-untyped]  # it has no stubs
import pytest
from tests.magics.scripts import asks, script

pytestmark = pytest.mark.kernel

Spawn = Callable[..., "pexpect.spawn[str]"]
IPYTHON = ["-m", "IPython", "--simple-prompt", "--no-confirm-exit", "--no-banner", "--colors=nocolor"]
CONSOLE = ["-m", "jupyter_console", "--kernel=assent", "--simple-prompt", "--no-confirm-exit"]


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Iterator[Spawn]:
    """Start a Python module on a terminal of its own; it has the extension when its first prompt shows."""
    with ExitStack() as started:

        def start(arguments: list[str]) -> "pexpect.spawn[str]":
            env = environment | {
                "TERM": "dumb", "PYTHONWARNINGS": "ignore", "HOME": str(tmp_path),
                "ASSENT_WORKSPACE": str(tmp_path / "workspace"),
            }  # fmt: skip
            child = pexpect.spawn(
                sys.executable, arguments, env=env, cwd=tmp_path, encoding="utf-8", timeout=15, dimensions=(50, 200)
            )
            started.callback(child.close, force=True)
            child.expect(r"In \[1\]: ")
            child.sendline("%load_ext assent")
            child.expect(r"In \[2\]: ")
            return child

        yield start


@pytest.fixture
def model(tmp_path: Path) -> str:
    return script(tmp_path, asks("answer = 6 * 7"), "It is 42.")


@pytest.mark.parametrize("arguments", [IPYTHON, CONSOLE], ids=["ipython", "console"])
def test_approve_at_the_prompt(terminal: Spawn, model: str, arguments: list[str]) -> None:
    child = terminal(arguments)
    child.sendline(f"x = %agent ask --model {model} multiply")
    child.expect("analyst wants to run python")
    child.expect(r"answer = 6 \* 7")
    child.expect(r"approve \(a\), edit \(e\), reject \(r\), allow for this session \(s\), allow for this run \(w\): ")
    child.sendline("a")
    child.expect("It is 42")
    child.expect("finished")
    child.expect(r"In \[3\]: ")
    child.sendline("print(answer, x)")
    child.expect("42 It is 42.")
    child.sendline("exit")
    child.expect(pexpect.EOF)


@pytest.mark.parametrize("arguments", [IPYTHON, CONSOLE], ids=["ipython", "console"])
def test_ctrl_c_at_the_prompt(terminal: Spawn, model: str, arguments: list[str]) -> None:
    child = terminal(arguments)
    child.sendline(f"%agent ask --model {model} multiply")
    child.expect(r"allow for this run \(w\): ")
    child.sendintr()
    child.expect("KeyboardInterrupt")
    child.expect(r"In \[\d\]: ")
    child.sendline("%agent sql SELECT 'it is ' || status AS said FROM runs")
    child.expect("it is cancelled")


def test_ctrl_d_at_the_prompt(terminal: Spawn, model: str) -> None:
    child = terminal(IPYTHON)
    child.sendline(f"%agent ask --model {model} multiply")
    child.expect(r"allow for this run \(w\): ")
    child.sendeof()
    child.expect("KeyboardInterrupt: The run was stopped")
    child.expect(r"In \[\d\]: ")


def test_ctrl_c_while_the_python_tool_works(terminal: Spawn, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    code = f"open({str(begun)!r}, 'w').close()\nwhile True: pass"
    child = terminal(IPYTHON)
    child.sendline(f"%agent ask --model {script(tmp_path, asks(code), 'Done.')} work")
    child.expect(r"allow for this run \(w\): ")
    child.sendline("a")
    begun.open().close()  # returns once the tool opens it
    child.sendintr()
    child.expect("KeyboardInterrupt: The run was")
    child.expect(r"In \[\d\]: ")
    child.sendline("1 + 1")
    child.expect("2")


def test_a_run_that_is_resumed_is_printed_from_its_beginning(terminal: Spawn, model: str) -> None:
    child = terminal(IPYTHON)
    child.sendline(f"%agent ask --on-ask suspend --model {model} multiply")
    child.expect("waiting for approval: (\\w+)\\.1")
    run = child.match[1]
    child.expect(r"In \[\d\]: ")
    child.sendline(f"%agent approve {run}.1")
    child.expect("goes on with the run")
    child.sendline(f"%agent resume {run}")
    child.expect("It must be computed.")
    child.expect("It is 42")
