"""`%%agent` in the real Assent kernel: nobody there, somebody at a prompt, two cells in a row."""

from pathlib import Path

import pytest
from tests.jupyter.live import LiveKernel
from tests.magics.agent_cell import AgentCell, prompt, query
from tests.magics.scripts import asks, script

pytestmark = pytest.mark.kernel


@pytest.fixture
def model(tmp_path: Path) -> str:
    return script(tmp_path, asks("answer = 6 * 7"), "It is 42.")


def waiting(kernel: LiveKernel, shown: str) -> tuple[str, str]:
    """The run and the call that a suspended cell tells of."""
    call = shown.partition("%agent approve ")[2].split(",")[0]
    return call.rpartition(".")[0], call


def test_where_nobody_is_there_it_suspends_and_goes_on_later(kernel: LiveKernel, model: str) -> None:
    kernel.run("globals().pop('answer', None)")
    shown = AgentCell(kernel, f"%%agent --model {model}\nMultiply.", "none").done()
    assert "nobody can be asked here" in shown
    run, call = waiting(kernel, shown)
    kernel.run("assert 'answer' not in globals()")
    assert f"%agent resume {run}" in AgentCell(kernel, f"%agent approve {call}", "none").done()
    assert "It is 42." in AgentCell(kernel, f"%agent resume {run}", "none").done()
    assert kernel.run("print(answer)").strip() == "42"


def test_on_ask_deny_runs_to_an_end(kernel: LiveKernel, model: str) -> None:
    shown = AgentCell(kernel, f"%%agent --on-ask deny --model {model}\nMultiply.").done()
    assert "denied" in shown.lower()
    assert "It is 42." in shown


def test_into_and_an_expression(kernel: LiveKernel, tmp_path: Path) -> None:
    AgentCell(kernel, f"%%agent --model {script(tmp_path, 'It is 42.')} --into said\nWhat is it?").done()
    AgentCell(kernel, f"x = %agent ask --model {script(tmp_path, 'It is 43.', name='other')} what is it?").done()
    assert kernel.run("print(said, x)").strip() == "It is 42. It is 43."


def test_two_cells_in_a_row(kernel: LiveKernel, model: str) -> None:
    first = AgentCell(kernel, f"%%agent --model {model}\nMultiply.")
    second = AgentCell(kernel, f"%%agent --model {model}\nMultiply again.")
    for cell in (first, second):
        cell.card().decide()
        assert "It is 42." in cell.done()


@pytest.mark.parametrize(
    ("typed", "shown", "answer"),
    [
        (["a"], "It is 42.", "42"),
        (["e", "answer = 43"], "It is 42.", "43"),
        (["e", '{"code": "answer = 44"}'], "It is 42.", "44"),
        (["maybe", "w"], "is none of the letters in brackets", "42"),
        (["r", "too easy"], "It is 42.", "None"),
    ],
    ids=["approve", "edit", "edit-json", "allow", "reject"],
)
def test_a_person_at_a_prompt(kernel: LiveKernel, model: str, typed: list[str], shown: str, answer: str) -> None:
    kernel.run("answer = None")
    cell = AgentCell(kernel, f"%%agent --model {model}\nMultiply.", "stdin")
    for line in typed:
        prompt(kernel)
        kernel.client.input(line)
    assert shown in cell.done()
    assert kernel.run("print(answer)").strip() == answer


def test_the_end_of_the_input_stops_the_run(kernel: LiveKernel, model: str) -> None:
    cell = AgentCell(kernel, f"%%agent --model {model}\nMultiply.", "stdin")
    assert "approve (a)" in prompt(kernel)
    kernel.client.input("\x04")
    assert "KeyboardInterrupt: The run was stopped" in cell.failed()
    assert query(kernel, "SELECT status FROM runs ORDER BY started DESC LIMIT 1") == [["cancelled"]]


def test_a_prompt_that_gets_empty_lines_only_suspends_the_run(kernel: LiveKernel, model: str) -> None:
    kernel.run("globals().pop('answer', None)")
    cell = AgentCell(kernel, f"%%agent --model {model}\nMultiply.", "stdin")
    for _ in range(3):
        prompt(kernel)
        kernel.client.input("")
    shown = cell.done()
    assert "suspended: nobody answers here; waiting for approval: " in shown
    run = shown.partition("%agent resume ")[2].split()[0]
    again = AgentCell(kernel, f"%agent resume {run}", "stdin")
    prompt(kernel)
    kernel.client.input("a")
    shown = again.done()
    assert "It is 42." in shown
    assert "suspended" not in shown
    assert kernel.run("print(answer)").strip() == "42"


def test_a_wait_at_a_prompt_is_bounded(kernel: LiveKernel, model: str) -> None:
    cell = AgentCell(kernel, f"%%agent --wait 0.2 --model {model}\nMultiply.", "stdin")
    prompt(kernel)
    assert "nobody answered within 0.2 s" in cell.done()


def test_completion_by_the_protocol(kernel: LiveKernel) -> None:
    kernel.run("%agent runs")
    for code, offered in (("%agent resu", ["resume"]), ("%%agent --on-ask su", ["suspend"])):
        message = kernel.client.session.msg("complete_request", {"code": code, "cursor_pos": len(code)})
        kernel.client.shell_channel.send(message)
        reply = kernel.reply(message["header"]["msg_id"])
        assert reply["matches"] == offered
        assert code[reply["cursor_start"] : reply["cursor_end"]] == code.rpartition(" ")[2]


def test_the_run_knows_its_cell(kernel: LiveKernel, tmp_path: Path) -> None:
    AgentCell(kernel, f"%%agent --model {script(tmp_path, 'Yes.')}\nIs it?").done()
    assert query(kernel, "SELECT cell FROM runs ORDER BY started DESC LIMIT 1") == [["c0ffee"]]
