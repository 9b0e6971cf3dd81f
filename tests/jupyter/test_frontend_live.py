"""What the kernel knows of its front end from a cell's own message."""

import pytest
from tests.jupyter.live import LiveKernel

pytestmark = pytest.mark.kernel

SHOW = "from assent.jupyter.frontend import provenance, way_to_ask; print(way_to_ask(), provenance())"


def shown(kernel: LiveKernel, metadata: dict[str, str], *, allow_stdin: bool, code: str = SHOW) -> str:
    """What a cell prints that was sent as a front end sends it."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": allow_stdin}
    message = kernel.client.session.msg("execute_request", content, metadata=metadata)
    kernel.client.shell_channel.send(message)
    return kernel.output(message["header"]["msg_id"]).strip()


def test_a_cell_id_means_a_widget(kernel: LiveKernel) -> None:
    expected = "widget Provenance(notebook=None, cell='c0ffee')"
    assert shown(kernel, {"cellId": "c0ffee"}, allow_stdin=True) == expected


def test_no_cell_id_means_a_prompt(kernel: LiveKernel) -> None:
    assert shown(kernel, {}, allow_stdin=True) == "stdin Provenance(notebook=None, cell=None)"


@pytest.mark.parametrize("metadata", [{}, {"cellId": "c0ffee"}], ids=["nbclient", "with-cell-id"])
def test_no_stdin_means_that_nobody_is_there(kernel: LiveKernel, metadata: dict[str, str]) -> None:
    assert shown(kernel, metadata, allow_stdin=False).startswith("none ")


def test_vs_code_tells_the_notebook_in_the_namespace(kernel: LiveKernel) -> None:
    code = f"__vsc_ipynb_file__ = 'reports/penguins.ipynb'\n{SHOW}\ndel __vsc_ipynb_file__"
    assert "notebook='reports/penguins.ipynb'" in shown(kernel, {}, allow_stdin=True, code=code)
