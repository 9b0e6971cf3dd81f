"""The Tab key after `%agent`."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell


def completed(shell: Shell, code: str) -> list[str]:
    """What the Tab key offers at the end of `code`, as whole words."""
    with provisionalcompleter():
        return [item.text for item in shell.ipython.Completer.completions(code, len(code))]


@pytest.fixture
def waiting(shell: Shell, tmp_path: Path) -> tuple[str, str]:
    shell.run(f"%%agent --model {script(tmp_path, asks('x = 1'), 'Done.')}\nDo it.")
    pending = shell.desk.session.pending()[0]
    return pending.run, pending.call


@pytest.mark.parametrize(
    ("code", "offered"),
    [
        ("%agent rep", ["replay"]),
        ("x = %agent as", ["ask"]),
        ("%agent ask --on", ["--on-ask"]),
        ("%agent ask --on-ask ", ["wait", "suspend", "deny"]),
        ("%agent resume r1 --w", ["--wait"]),
        ("%agent help app", ["approve"]),
        ("%%agent ana", ["analyst"]),
        ("%%agent s", ["sql"]),
        ("%%agent analyst --ma", ["--max-steps"]),
        ("%%agent --on-ask d", ["deny"]),
    ],
)
def test_commands_agents_and_options(shell: Shell, code: str, offered: list[str]) -> None:
    assert completed(shell, code) == offered


def test_runs_and_calls(shell: Shell, waiting: tuple[str, str]) -> None:
    run, call = waiting
    for command in ("show", "resume", "stop"):
        assert run in completed(shell, f"%agent {command} {run[:3]}")
    for command in ("approve", "reject"):
        assert call in completed(shell, f"%agent {command} {run[:3]}")


def test_models_and_tools_by_name(shell: Shell) -> None:
    assert any(name.startswith("local:") for name in completed(shell, "%agent model lo"))
    assert any(name.startswith("openai:") for name in completed(shell, "%%agent --model op"))
    assert completed(shell, "%%agent --tools py") == ["python"]


def test_models_that_the_settings_name(shell: Shell, tmp_path: Path) -> None:
    settings = tmp_path / "workspace" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text('[models.default]\nfallback = ["custom:big"]\n\n[models."custom:small"]\nattempts = 2\n')
    assert completed(shell, "%agent model custom:") == ["custom:big", "custom:small"]


def test_what_a_policy_can_be_asked(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "examples.toml").touch()
    assert completed(shell, "%agent policy e") == ["explain"]
    assert "python" in completed(shell, "%agent policy explain ")
    assert "analyst" in completed(shell, "%agent policy explain --agent a")
    assert completed(shell, "%agent policy test ex") == ["examples.toml"]


def test_what_costs_can_be_added_up_by(shell: Shell) -> None:
    assert completed(shell, "%agent costs p") == ["provider"]
    assert "hour" in completed(shell, "%agent costs ")


def test_types_and_pictures_by_name(shell: Shell, tmp_path: Path) -> None:
    shell.run("class Penguin: pass\npenguins = list[Penguin]\npence = 5\npencil = {'length': float}\nempty = {}")
    assert completed(shell, "%%agent --as-type Pen") == ["Penguin"]
    assert completed(shell, "%agent ask --as-type pen") == ["penguins", "pencil"]
    assert completed(shell, "%%agent --as-type lis") == ["list[str]"]
    assert "empty" not in completed(shell, "%%agent --as-type em")
    (tmp_path / "penguin.PNG").touch()
    shell.run("class Figure:\n    def savefig(self): pass\npen_plot = Figure()\npen_bytes = b'x'")
    assert completed(shell, "%%agent --image pen") == ["pen_plot", "pen_bytes", "penguin.PNG"]
    assert completed(shell, "%%agent --effort m") == ["medium"]
    assert completed(shell, "%agent new x --priority c") == ["critical"]


def test_a_brace_in_the_prompt_offers_variables(shell: Shell) -> None:
    shell.namespace["penguins"] = 1
    assert completed(shell, "%%agent\nHow many of {peng") == ["penguins"]


def test_sql_offers_tables_and_their_columns(shell: Shell) -> None:
    shell.namespace["penguins"] = pd.DataFrame({"island": ["Dream"]})
    assert completed(shell, "%%agent sql\nSELECT * FROM pen") == ["penguins"]
    assert completed(shell, "%%agent sql df <<\nSELECT * FROM run") == ["runs"]
    assert completed(shell, "%%agent sql\nSELECT count(*) FROM penguins WHERE isl") == ["island"]
    assert completed(shell, "%%agent sql\nSELECT count(*) FROM approvals WHERE verd") == ["verdict"]
    assert "island" not in completed(shell, "%%agent sql\nSELECT isl")


def test_the_prompt_is_not_completed_as_a_command(shell: Shell) -> None:
    assert "analyst" not in completed(shell, "%%agent\n%agent ana")
    assert "analyst" not in completed(shell, "%%agent\nana")


def test_other_code_is_left_to_ipython(shell: Shell) -> None:
    shell.namespace["agent_count"] = 1
    assert "agent_count" in completed(shell, "agent_c")


def test_a_workspace_that_cannot_be_opened_does_not_break_the_key(shell: Shell, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "workspace")
    (tmp_path / "workspace").write_text("a file, not a folder")
    assert "--wait" in completed(shell, "%agent resume --w")
