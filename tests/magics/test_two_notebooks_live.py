"""Two notebooks, each with a kernel of its own, on one workspace."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel, live_kernel
from tests.magics.agent_cell import AgentCell, query
from tests.magics.scripts import asks, script
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(100)]  # two kernels begin and end

# Holds the interpreter's lock from beginning to end, as a long step of pandas may: no other thread of the kernel runs,
# the one that sends what is printed neither.
BUSY = """
import pathlib
pathlib.Path({begun!r}).touch()
n = sum(range(500_000_000))
pathlib.Path({ended!r}).touch()
"""


@pytest.fixture
def kernels(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[LiveKernel, LiveKernel]]:
    """Each with an IPython folder of its own: through a shared history file any busy kernel can hold up others."""
    env = environment | {"ASSENT_WORKSPACE": str(tmp_path / "workspace")}
    with ExitStack() as running:
        first, second = [
            running.enter_context(live_kernel("assent", env | {"IPYTHONDIR": str(tmp_path / name)}, tmp_path))
            for name in ("first", "second")
        ]
        yield first, second


def test_a_question_of_one_notebook_is_answered_in_the_other(
    kernels: tuple[LiveKernel, LiveKernel], tmp_path: Path
) -> None:
    first, second = kernels
    cell = AgentCell(first, f"%%agent --model {script(tmp_path, asks('answer = 6 * 7'), 'It is 42.')}\nMultiply.")
    card = cell.card()
    assert card.run in AgentCell(second, "%agent").done()
    assert "approved" in AgentCell(second, f"%agent approve {card.run}.1").done()
    assert "It is 42." in cell.done()
    card.status("approved")
    assert first.run("print(answer)").strip() == "42"
    assert "It is 42." in AgentCell(second, "%agent runs").done()


def test_a_run_is_stopped_from_the_other_notebook(kernels: tuple[LiveKernel, LiveKernel], tmp_path: Path) -> None:
    first, second = kernels
    cell = AgentCell(first, f"%%agent --model {script(tmp_path, asks('x = 1'), 'Done.')}\nWork.")
    run = cell.card().run
    AgentCell(second, f"%agent stop {run}").done()
    assert "The run was stopped." in cell.failed()
    assert query(second, "SELECT status FROM runs") == [["cancelled"]]


def test_a_busy_cell_in_one_notebook_does_not_slow_the_other(
    kernels: tuple[LiveKernel, LiveKernel], tmp_path: Path
) -> None:
    first, second = kernels
    for number, kernel in enumerate(kernels):
        AgentCell(kernel, f"%%agent --model {script(tmp_path, f'Yes {number}.')}\nReady?").done()
    model = script(tmp_path, asks("answer = 6 * 7"), "It is 42.", name="multiply")
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    busy = first.start(BUSY.format(begun=str(begun), ended=str(ended)))
    eventually(begun.exists)
    cell = AgentCell(second, f"%%agent --model {model}\nMultiply.")
    cell.card().decide()
    assert "It is 42." in cell.done()
    assert not ended.exists()  # it is busy still
    assert first.reply(busy, timeout=60)["status"] == "ok"
    assert ended.exists()
