"""What goes wrong outside: each one clear sentence, no traceback, and nothing that was recorded is lost."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.magics.scripts import Turn, asks, call, script
from tests.magics.shell import Shell
from tests.support.chat_server import Reply, calls, chat_server, chunk, says

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def serve(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Reply]]:
    """The replies that a model server on loopback gives, one after the other, to `--model custom:m`."""
    replies: list[Reply] = []
    with chat_server(lambda received: replies.pop(0)) as server:
        monkeypatch.setenv("ASSENT_BASE_URL", server.url)
        monkeypatch.setenv("ASSENT_API_KEY", KEY)
        yield replies
        close_connections(shell)


def close_connections(shell: Shell) -> None:
    """The shell's loop outlives this test, and with it would its connections."""
    shell.run("await get_ipython()._assent_loaded[0].session.model('custom:m').aclose()")


def hurry(folder: Path) -> None:
    """Leave next to no time between two attempts."""
    (folder / "workspace").mkdir(exist_ok=True)
    (folder / "workspace" / "config.toml").write_text("[models.default]\nbackoff = 0.001\n")


def only_run(shell: Shell) -> list[object]:
    row = shell.run("%agent sql SELECT run, status FROM runs").values.tolist()
    assert len(row) == 1
    return list(row[0])


@pytest.mark.slow
def test_no_model_and_none_reachable(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the local model's package, a key or a server there is nothing to ask; the sentence says what to do."""
    code = (
        "import sys; sys.modules['xllamacpp'] = None\n"
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'xllamacpp' else find(name, *a)\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nshell.run_line_magic('load_ext', 'assent')\n"
        "shell.run_cell('%%agent\\nHow many?')\nshell.run_cell('%agent runs')\n"
    )
    for name in ("OPENAI_API_KEY", "GROQ_API_KEY", "DEEPSEEK_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=15, check=True)
    assert "There is no model to ask" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_bad_key(shell: Shell, serve: list[Reply]) -> None:
    serve.append(Reply([b'{"error": {"message": "Incorrect API key provided"}}'], 401, "application/json"))
    said = shell.fail("%%agent --model custom:m\nHow many?")
    assert "key" in said
    assert KEY not in said
    run, status = only_run(shell)
    assert status == "failed"
    serve.append(says("Forty-two."))
    shell.run(f"%agent resume {run}")
    assert "Forty-two." in shell.shown


def test_a_server_that_goes_away_in_the_middle(shell: Shell, serve: list[Reply], tmp_path: Path) -> None:
    hurry(tmp_path)
    half = [chunk({"content": "There are "})]
    serve += [Reply(half, cut=True)] * 6
    said = shell.fail("%%agent --model custom:m\nHow many?")
    assert "failed" in said
    run, status = only_run(shell)
    assert status == "failed"
    serve[:] = [says("There are 344.")]
    shell.run(f"%agent resume {run}")
    assert "There are 344." in shell.shown


def test_a_server_that_is_not_there(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(tmp_path)
    monkeypatch.setenv("ASSENT_BASE_URL", "http://127.0.0.1:9/v1")
    assert "127.0.0.1:9" in shell.fail("%%agent --model custom:m\nHow many?")
    assert "No model server answers at http://127.0.0.1:9/v1" in shell.fail("%%agent\nHow many?")
    close_connections(shell)


def test_malformed_arguments_go_back_to_the_model(shell: Shell, serve: list[Reply]) -> None:
    serve += [
        calls(("sql", '{"query": ')),
        calls(("sql", '{"sql": "SELECT 1"}')),
        calls(("sql", '{"query": "SELECT 7"}')),
    ]
    serve += [says("Seven.")]
    shell.run("%%agent --model custom:m\nHow many?")
    assert "not valid JSON" in shell.shown
    assert "Wrong arguments for sql" in shell.shown
    assert "Seven." in shell.shown


TOOLS = """
from assent import tool
import time

@tool(privilege="read_only")
def raises() -> str:
    '''Raise.'''
    raise RuntimeError("the disk is on fire")

@tool(privilege="read_only", timeout=0.2)
def hangs() -> str:
    '''Hang.'''
    time.sleep(3)
    return "late"

@tool(privilege="read_only")
def floods() -> str:
    '''Flood.'''
    return "flood " * 9_000_000
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [("raises", "the disk is on fire"), ("hangs", "did not finish within 0.2 s"), ("floods", "characters left out")],
)
def test_a_tool_that_misbehaves(shell: Shell, tmp_path: Path, name: str, said: str) -> None:
    shell.run(TOOLS)
    model = script(tmp_path, [call(name)], "I see.")
    shell.run(f"%%agent --tools {name} --model {model}\nTry it.")
    assert said in shell.shown
    assert "I see." in shell.shown
    assert len(shell.shown) < 50_000
    assert only_run(shell)[1] == "finished"


def test_wrong_sql_and_a_write_go_back_to_the_model(shell: Shell, tmp_path: Path) -> None:
    turns: list[Turn] = [[call("sql", query="SELEC 1")], [call("sql", query="DROP TABLE penguins")], "I give up."]
    shell.run(f"%%agent --model {script(tmp_path, *turns)}\nTry it.")
    assert "syntax error" in shell.shown
    assert "Only reading is allowed" in shell.shown
    assert "I give up." in shell.shown


def test_a_corrupt_workspace(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "workspace" / "assent.duckdb"
    file.write_bytes(b"this is no database" * 1000)
    said = shell.fail(f"%%agent --model {script(tmp_path, 'Yes.')}\nIs it?")
    assert "damaged and was left untouched" in said
    assert file.read_bytes() == b"this is no database" * 1000


def test_a_workspace_that_is_a_file(shell: Shell, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "workspace")
    (tmp_path / "workspace").write_text("a file")
    assert "cannot be made" in shell.fail("%agent runs")


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that may write no file beyond a size, as on a full disk; later the run goes on."""
    monkeypatch.setenv("ASSENT_WORKSPACE", str(tmp_path / "workspace"))
    answer = "A long answer. " * 3000
    model = script(tmp_path, *[asks(f"x = {n}  # {answer}") for n in range(40)], "Done.")
    done = _limited(f"%%agent --on-ask deny --max-steps 60 --model {model}\nGo.", limit=2_000_000)
    assert "could not be written" in done
    assert "Traceback" not in done
    run = (
        _limited("print('run', get_ipython().run_line_magic('agent', 'runs')['run'][0])").rpartition("run ")[2].strip()
    )
    assert "Done." in _limited(f"%agent resume {run} --on-ask deny")


def _limited(cell: str, limit: int = resource.RLIM_INFINITY) -> str:
    """What a cell prints in a fresh process that may write no file larger than `limit` bytes."""
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))\n"
        "from IPython.core.interactiveshell import InteractiveShell\nfrom traitlets.config import Config\n"
        "shell = InteractiveShell.instance(config=Config({'HistoryManager': {'enabled': False}}))\n"
        f"shell.run_line_magic('load_ext', 'assent')\nshell.run_cell({cell!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=18, check=True)
    return done.stdout + done.stderr
