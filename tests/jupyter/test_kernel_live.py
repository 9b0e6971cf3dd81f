"""The Assent kernel is a full IPython kernel, and the public suite for kernels agrees."""

import os
import sys
from pathlib import Path
from typing import ClassVar

import jupyter_kernel_test
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from tests.jupyter.live import LiveKernel, live_kernel

import assent

pytestmark = pytest.mark.kernel


@pytest.mark.usefixtures("environment")
class TestPublicSuite(jupyter_kernel_test.KernelTests):
    """https://github.com/jupyter/jupyter_kernel_test, every part that IPython supports filled in."""

    kernel_name = "assent"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples: ClassVar = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples: ClassVar = ["1", "print('hello, world')", "def f(x):\n  return x*2\n\n\n"]
    incomplete_code_samples: ClassVar = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples: ClassVar = ["import = 7q"]
    code_page_something = "zip?"
    code_generate_error = "raise"
    code_execute_result: ClassVar = [
        {"code": "1+2+3", "result": "6"},
        {"code": "[n*n for n in range(1, 4)]", "result": "[1, 4, 9]"},
    ]
    code_display_data: ClassVar = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"}
    ]
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "search")  # IPython gives the running session's range the number 0
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"


def shell_reply(kernel: LiveKernel, kind: str, content: dict[str, object]) -> dict[str, object]:
    """Send a request on the shell channel; the content of its reply."""
    message = kernel.client.session.msg(kind, content)
    kernel.client.shell_channel.send(message)
    return kernel.reply(message["header"]["msg_id"])


def test_it_says_what_it_is_and_can(kernel: LiveKernel) -> None:
    info = shell_reply(kernel, "kernel_info_request", {})
    assert info["implementation"] == "assent"
    assert info["implementation_version"] == assent.__version__
    assert str(info["banner"]).startswith(f"Assent {assent.__version__}")
    assert info["language_info"]["name"] == "python"
    assert info["language_info"]["codemirror_mode"]["name"] == "ipython"
    assert {"debugger", "kernel subshells"} <= set(info["supported_features"])


def test_completion_knows_the_namespace(kernel: LiveKernel) -> None:
    kernel.run("penguin_count = 344")
    reply = shell_reply(kernel, "complete_request", {"code": "penguin_", "cursor_pos": 8})
    assert "penguin_count" in reply["matches"]


def test_inspection_shows_a_docstring(kernel: LiveKernel) -> None:
    kernel.run("def weigh():\n    'In grams.'")
    reply = shell_reply(kernel, "inspect_request", {"code": "weigh", "cursor_pos": 5, "detail_level": 0})
    assert reply["found"]
    assert "In grams." in reply["data"]["text/plain"]


def test_the_debugger_attaches(kernel: LiveKernel) -> None:
    arguments = {"clientID": "test", "adapterID": "", "pathFormat": "path", "linesStartAt1": True}
    message = kernel.client.session.msg(
        "debug_request", {"type": "request", "seq": 1, "command": "initialize", "arguments": arguments}
    )
    kernel.client.control_channel.send(message)
    reply = kernel.client.get_control_msg(timeout=15)
    assert reply["parent_header"]["msg_id"] == message["header"]["msg_id"]
    assert reply["content"]["success"], reply["content"]


def test_the_installed_kernelspec_starts_this_interpreter(environment: dict[str, str]) -> None:
    spec = KernelSpecManager().get_kernel_spec("assent")
    assert spec.argv == [sys.executable, "-m", "assent.jupyter", "-f", "{connection_file}"]
    assert spec.display_name == "Assent"
    assert spec.metadata["debugger"] is True
    assert {"logo-32x32.png", "logo-64x64.png", "logo-svg.svg"} <= set(os.listdir(spec.resource_dir))


def test_a_broken_extension_is_told_and_the_kernel_lives(environment: dict[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "assent_magics"
    broken.mkdir()
    (broken / "__init__.py").write_text("")
    (broken / "extension.py").write_text("raise RuntimeError('half written')")
    env = environment | {"PYTHONPATH": os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])}
    with live_kernel("assent", env, tmp_path) as kernel:
        assert "%agent is not available: RuntimeError: half written" in kernel.run("pass")
        assert kernel.run("print(1 + 1)").strip() == "2"  # said once, not with every cell


def test_the_database_draws_no_progress_bar_under_a_cell(kernel: LiveKernel) -> None:
    kernel.run("from assent.store import database\nreading = database.memory().cursor()")
    assert (
        kernel.run("print(reading.execute(\"SELECT current_setting('enable_progress_bar')\").fetchone())")
        == "(False,)\n"
    )
