"""A kernel that dies in the middle of a run, and what the next one makes of it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.jupyter.live import LiveKernel, live_kernel
from tests.magics.agent_cell import AgentCell, query
from tests.magics.scripts import asks, script

pytestmark = pytest.mark.kernel

Start = Callable[..., LiveKernel]
BEGUN = "import comm\ndef begun(): comm.create_comm(target_name='begun')"


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a kernel on this test's own workspace."""
    with ExitStack() as running:

        def start_(name: str = "assent") -> LiveKernel:
            env = environment | {"ASSENT_WORKSPACE": str(tmp_path / "workspace")}
            return running.enter_context(live_kernel(name, env, tmp_path))

        yield start_


def die(kernel: LiveKernel) -> None:
    """SIGKILL, as the memory runs out."""
    os.kill(pid(kernel), signal.SIGKILL)
    provisioner: Any = kernel.manager.provisioner
    provisioner.process.wait()


def pid(kernel: LiveKernel) -> int:
    provisioner: Any = kernel.manager.provisioner
    return int(provisioner.pid)


def shut_down(kernel: LiveKernel) -> None:
    """As a front end does before it restarts a kernel: first an interrupt, then a request."""
    kernel.manager.shutdown_kernel()


@pytest.mark.parametrize("end", [die, shut_down])
def test_a_question_survives_the_kernel(start: Start, tmp_path: Path, end: Callable[[LiveKernel], None]) -> None:
    first = start()
    cell = AgentCell(first, f"%%agent --model {script(tmp_path, asks('answer = 6 * 7'), 'It is 42.')}\nMultiply.")
    run = cell.card().run
    end(first)
    second = start()
    shown = AgentCell(second, "%agent").done()
    assert "1 suspended" in shown
    assert f'{run}  analyst  cut off, 1 call waits for your answer  "Multiply."    %agent pending' in shown
    pending = AgentCell(second, "%agent pending")
    pending.done()
    card = pending.card()
    assert (card.run, card.source) == (run, "answer = 6 * 7")
    card.decide()
    pending.updated("It is 42.")
    assert second.run("print(answer)").strip() == "42"
    assert query(second, "SELECT status FROM runs") == [["finished"]]


def test_a_call_cut_off_in_the_middle_is_asked_about(start: Start, tmp_path: Path) -> None:
    first = start()
    first.run(BEGUN)
    code = "begun()\nimport time; time.sleep(30)"
    cell = AgentCell(first, f"%%agent --model {script(tmp_path, asks(code), 'It slept.')}\nSleep.")
    cell.card().decide()
    first.wait(lambda m: m["msg_type"] == "comm_open" and m["content"]["target_name"] == "begun")
    die(first)
    second = start()
    assert "1 run from before can go on: %agent says how.\n" in AgentCell(second, "%agent list").done()
    assert "from before" not in AgentCell(second, "%agent list").done()
    runs = query(second, "SELECT run, status, reason FROM runs")
    run = runs[0][0]
    assert runs == [[run, "suspended", "the kernel that ran it stopped"]]
    told = f'{run}  analyst  cut off, the outcome of python is unknown  "Sleep."    %agent resume {run}'
    assert told in AgentCell(second, "%agent").done()
    again = AgentCell(second, f"%agent resume {run}")
    card = again.card()
    assert "nobody recorded how it ended" in card.asks
    card.decide(outcome="It slept well.")
    shown = again.done()
    assert "It slept well." in shown
    assert query(second, "SELECT count(*) FROM events WHERE kind = 'call_started'") == [[1]]


def test_what_was_interrupted_before_stays_cancelled(start: Start, tmp_path: Path) -> None:
    first = start()
    cell = AgentCell(first, f"%%agent --model {script(tmp_path, asks('x = 1'), 'Done.')}\nWork.")
    cell.card()
    first.manager.interrupt_kernel()
    cell.failed()
    time.sleep(2.1)  # an interrupt shortly before a shutdown is taken for its beginning
    shut_down(first)
    second = start()
    assert query(second, "SELECT status FROM runs") == [["cancelled"]]


def test_reloading_the_extension_in_a_kernel(start: Start, tmp_path: Path) -> None:
    kernel = start()
    model = script(tmp_path, asks("x = 1"), "Done.")
    cell = AgentCell(kernel, f"%%agent --wait 0.1 --model {model}\nWork.")
    cell.done()
    card = cell.card()
    AgentCell(kernel, "%reload_ext assent").done()
    card.status("lost")
    again = AgentCell(kernel, "%agent pending")
    again.done()
    again.card().decide()
    again.updated("Done.")
    AgentCell(kernel, "%unload_ext assent").done()
    reply = AgentCell(kernel, "%agent runs").failed()
    assert "`%agent` not found" in reply


@pytest.mark.parametrize("front", ["widget", "stdin", "none"])
def test_a_stock_kernel_with_the_extension(start: Start, tmp_path: Path, front: str) -> None:
    kernel = start("python3")
    kernel.run("%load_ext assent")
    model = script(tmp_path, asks("answer = 6 * 7"), "It is 42.")
    cell = AgentCell(kernel, f"%%agent --model {model}\nMultiply.", front)  # type: ignore[arg-type]  # a parameter
    if front == "widget":
        cell.card().decide()
        assert "It is 42." in cell.done()
    elif front == "stdin":
        kernel.client.get_stdin_msg(timeout=10)
        kernel.client.input("a")
        assert "It is 42." in cell.done()
    else:
        assert "nobody can be asked here" in cell.done()


def test_an_interrupt_in_a_stock_kernel(start: Start, tmp_path: Path) -> None:
    kernel = start("python3")
    kernel.run("%load_ext assent")
    cell = AgentCell(kernel, f"%%agent --model {script(tmp_path, asks('x = 1'), 'Done.')}\nWork.")
    cell.card()
    kernel.manager.interrupt_kernel()
    assert "KeyboardInterrupt: The run was" in cell.failed()
    assert query(kernel, "SELECT status FROM runs") == [["cancelled"]]


def test_an_error_in_the_very_first_cell_ends_it(start: Start) -> None:
    """ipykernel's answer to an error wants what only cells without await have set."""
    assert "There is no model 'nowhere:x'" in AgentCell(start(), "%%agent --model nowhere:x\nHello.").failed()
