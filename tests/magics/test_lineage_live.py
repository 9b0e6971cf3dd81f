"""A real kernel that is killed and started again: what it had, and running the steps gives it back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel
from tests.magics.agent_cell import AgentCell
from tests.magics.scripts import asks, script
from tests.magics.test_restart_live import Start, die, shut_down, start  # noqa: F401  # a fixture

pytestmark = pytest.mark.kernel
CODE = "total = sum(rows)"


@pytest.mark.parametrize("end", [die, shut_down])
def test_what_a_kernel_had_is_made_again_by_the_steps(
    start: Start,  # noqa: F811  # the fixture
    tmp_path: Path,
    end: Callable[[LiveKernel], None],
) -> None:
    first = start()
    cells = ["import math", "rows = [1]", "rows.append(2)", "lost = 0"]
    for cell in cells:
        AgentCell(first, cell).done()
    agent = AgentCell(first, f"%%agent --model {script(tmp_path, asks(CODE), 'It is 3.')}\nSum rows.")
    agent.card().decide()
    agent.done()
    AgentCell(first, "root = math.sqrt(total)").done()
    assert "root was made on" in AgentCell(first, "%agent blame root").done()
    end(first)

    second = start()
    shown = AgentCell(second, "table = %agent rebuild root").done()
    assert "to be made again: root." in shown
    assert f"by the agent analyst\n{CODE}" in shown
    assert second.run("print(table['run'].tolist())").strip() == "['cell', 'cell', 'cell', 'call', 'cell']"
    numbers = second.run("print(table['number'].dropna().astype(int).tolist())").strip()
    assert numbers == "[1, 2, 3, 6]"
    for code in (*cells[:3], CODE, "root = math.sqrt(total)"):
        AgentCell(second, code).done()
    assert second.run("print(root == math.sqrt(3), 'lost' in globals())").strip() == "True False"
    assert "to be made again: lost." in AgentCell(second, "%agent rebuild").done()
