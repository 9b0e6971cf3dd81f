"""The command line, called as the shell calls it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import assent
from assent.models.local import weights
from assent.serve.cli import main

RunResult = subprocess.CompletedProcess[str]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables that keep a command away from what the user has."""
    roots = os.pathsep.join(str(Path(__file__).parents[2] / name) for name in ("kernel", "magics", "widgets"))
    changes = {
        "JUPYTER_PATH": str(tmp_path / "share" / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "ASSENT_WORKSPACE": str(tmp_path / "workspace"),
        "ASSENT_MODEL": "openai:gpt-5-mini",
        "PYTHONPATH": os.pathsep.join(filter(None, [roots, os.environ.get("PYTHONPATH")])),
    }
    return os.environ | changes


def assent_command(environment: dict[str, str], *arguments: str | Path, cwd: Path | None = None) -> RunResult:
    """Run `python -m assent` to its end."""
    command = [sys.executable, "-m", "assent", *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=20, check=False)


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook of code cells; one that starts with # is prose."""
    prose, code = {"cell_type": "markdown"}, {"cell_type": "code", "execution_count": None, "outputs": []}
    made = [
        {**(prose if text.startswith("# ") else code), "id": f"c{number}", "metadata": {}, "source": text}
        for number, text in enumerate(cells)
    ]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}), "utf-8")
    return path


def test_without_a_command_it_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "usage: assent" in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"assent {assent.__version__}\n"


def test_install_under_a_prefix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--prefix", str(tmp_path)]) == 0
    spec = tmp_path / "share" / "jupyter" / "kernels" / "assent" / "kernel.json"
    assert str(spec.parent) in capsys.readouterr().out
    assert json.loads(spec.read_text())["argv"][0] == sys.executable


def test_install_where_nothing_can_be_written_is_one_clear_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "share").write_text("a file where a folder must be")
    assert main(["install", "--prefix", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("assent: The kernel could not be installed:")
    assert error.count("\n") == 1


def test_two_places_to_install_to_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["install", "--user", "--sys-prefix"])
    assert stopped.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.kernel
def test_run_prints_a_transcript_and_keeps_the_notebook(tmp_path: Path, environment: dict[str, str]) -> None:
    assert main(["install", "--prefix", str(tmp_path)]) == 0
    source = write_notebook(
        tmp_path / "n.ipynb",
        "# A question",
        "for n in range(2):\n    print(n)\n6 * 7",
        "import os; print(os.getcwd(), os.environ['JPY_SESSION_NAME'])",
        "get_ipython().kernel.implementation",
    )
    done = assent_command(environment, "run", source, "--output", tmp_path / "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert "without encryption" not in done.stderr
    where = f"{tmp_path} {source}"
    assert done.stdout.startswith(
        "# A question\n\nIn [1]: for n in range(2):\n   ...:     print(n)\n   ...: 6 * 7\n0\n1\n42\n\n"
    )
    assert where in done.stdout
    assert "'assent'" in done.stdout
    executed = json.loads((tmp_path / "out.ipynb").read_text("utf-8"))
    assert "".join(executed["cells"][1]["outputs"][-1]["data"]["text/plain"]) == "42"
    assert json.loads(source.read_text("utf-8"))["cells"][1]["outputs"] == []


@pytest.mark.kernel
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the cell waits on a named pipe")
def test_run_prints_a_cell_before_it_ends(tmp_path: Path, environment: dict[str, str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    source = write_notebook(tmp_path / "n.ipynb", "open('pipe').read()")
    command = [sys.executable, "-m", "assent", "run", str(source), "--kernel", "python3"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "In [1]: open('pipe').read()\n"
        (tmp_path / "pipe").write_text("go on")
        assert process.stdout.read() == "'go on'\n\n"


@pytest.mark.kernel
def test_run_stops_at_the_first_error_and_says_so(tmp_path: Path, environment: dict[str, str]) -> None:
    source = write_notebook(tmp_path / "n.ipynb", "print('before')", "1 / 0", "print('after')")
    output = tmp_path / "out.ipynb"
    done = assent_command(environment, "run", source, "--kernel", "python3", "--output", output)
    assert done.returncode == 1
    assert "before" in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert "after" not in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr.splitlines()[-1] == f"assent: {source} stopped: ZeroDivisionError: division by zero"
    assert output.exists()


def test_run_of_a_missing_kernel_says_how_to_install_it(tmp_path: Path, environment: dict[str, str]) -> None:
    done = assent_command(environment, "run", write_notebook(tmp_path / "n.ipynb", "1"), "--kernel", "absent")
    assert done.returncode == 1
    assert "There is no kernel 'absent'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "message"), [("none.ipynb", None, "could not be read"), ("x", "x", "no notebook")]
)
def test_run_of_no_notebook_is_one_clear_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert main(["run", str(tmp_path / name)]) == 1
    assert message in capsys.readouterr().err


def test_doctor_finds_everything_in_a_whole_installation(tmp_path: Path, environment: dict[str, str]) -> None:
    assert main(["install", "--prefix", str(tmp_path)]) == 0
    done = assent_command(environment, "doctor")
    assert done.returncode == 0, done.stdout
    assert re.search(
        rf"^ok +kernel +{re.escape(str(tmp_path))}.*starts {re.escape(sys.executable)}$", done.stdout, re.M
    )
    assert re.search(r"^ok +model +openai:gpt-5-mini", done.stdout, re.M)
    assert re.search(r"^ok +workspace +none yet", done.stdout, re.M)
    assert not (tmp_path / "workspace").exists()  # looking makes nothing


def test_doctor_says_that_the_local_model_is_yet_to_be_fetched(tmp_path: Path, environment: dict[str, str]) -> None:
    changes = {"ASSENT_MODEL": f"local:{weights.DEFAULT}", "ASSENT_CACHE": str(tmp_path)}
    done = assent_command(environment | changes, "doctor")
    assert done.returncode == 1
    assert re.search(rf"^NO +model .*run `assent fetch {re.escape(weights.DEFAULT)}`", done.stdout, re.M)


def test_fetch_prints_where_the_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path))
    row = weights.find(weights.DEFAULT)
    there = tmp_path / "models" / row.file
    there.parent.mkdir()
    with there.open("wb") as file:
        file.truncate(row.size)  # there already, as far as a look at its size tells
    assert main(["fetch"]) == 0
    assert capsys.readouterr().out == f"{there}\n"


def test_fetch_of_an_unknown_model_is_one_clear_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "gpt-9"]) == 1
    assert capsys.readouterr().err.startswith("assent: There is no local model 'gpt-9'; there are ")


def test_doctor_says_what_is_wrong(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "config.toml").write_text("modle = 'x'")
    (folder / "assent.duckdb").write_text("no database")
    done = assent_command(environment, "doctor")
    assert done.returncode == 1
    assert re.search(r"^NO +settings +Unknown setting modle", done.stdout, re.M)
    assert re.search(r"^NO +workspace .*damaged", done.stdout, re.M)


def test_doctor_says_who_holds_a_locked_workspace(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    with duckdb.connect(str(folder / "assent.duckdb")):
        done = assent_command(environment, "doctor")
    assert done.returncode == 1
    assert re.search(rf"^NO +workspace .*process {os.getpid()}", done.stdout, re.M)
