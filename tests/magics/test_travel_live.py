"""A fork in the real Assent kernel: its card, its panel, and a notebook's own values that it may change."""

import re
from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel
from tests.magics.agent_cell import AgentCell
from tests.magics.scripts import asks, script

pytestmark = pytest.mark.kernel


def test_a_fork_asks_by_a_card_and_goes_on_by_a_click(kernel: LiveKernel, tmp_path: Path) -> None:
    model = script(tmp_path, asks("answer = 6 * 7"), "It is done.")
    first = AgentCell(kernel, f"%%agent --model {model}\nMultiply.")
    first.card().decide()
    found = re.search(r" · run (\w{10})", first.done())
    assert found is not None
    run = found[1]
    fork = AgentCell(kernel, f'%agent fork {run} --edit {run}.1 "answer = 43"')
    card = fork.card()
    card.decide()
    shown = fork.done()
    assert f"Fork of {run} after step 1" in shown
    assert "answer = 43" in shown
    assert "6 * 7" not in shown
    assert "It is done." in shown
    assert kernel.run("print(answer)").strip() == "43"
