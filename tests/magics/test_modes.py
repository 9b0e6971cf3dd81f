"""The mode of runs in a notebook: set, tightened, shown, and what a dry run leaves."""

from pathlib import Path

import pytest
from tests.magics.scripts import asks, call, script
from tests.magics.shell import Shell


def test_a_dry_cell_lists_what_it_would_have_run(shell: Shell, tmp_path: Path) -> None:
    model = script(tmp_path, asks("x = 1"), [call("sql", query="SELECT 1 AS one")], "It would bind x.")
    shell.run(f"%%agent --model {model} --mode dry-run\nBind x.")
    assert " · dry-run · " in shell.shown
    assert "python · not performed" in shell.shown
    assert "Dry run: it would ask first." in shell.shown
    assert "sql · done" in shell.shown
    assert "Dry run. Nothing was performed. It would have run:\n1. python: x is new: 1" in shell.shown
    assert "x" not in shell.namespace
    assert shell.run("%agent sql SELECT tool FROM tool_calls WHERE status = 'not performed'")["tool"].tolist() == [
        "python"
    ]


def test_a_strict_cell_begins_with_the_plan(shell: Shell, tmp_path: Path) -> None:
    model = script(tmp_path, [call("plan", steps=["Bind x."])], asks("x = 1"), "Bound.")
    shell.run(f"%%agent --model {model} --mode strict\nBind x.")
    assert " · strict · " in shell.shown
    assert "Bind x." in shell.shown
    assert "Asked because: a strict run begins with a plan" in shell.shown
    run = shell.run("%agent runs")["run"][0]
    shell.run(f"%agent approve {run}.1")
    shell.run(f"%agent resume {run}")
    assert "plan · done" in shell.shown
    shell.run(f"%agent approve {run}.2")
    shell.run(f"%agent resume {run}")
    assert shell.namespace["x"] == 1


def test_the_settings_can_only_be_tightened(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSENT_MODE", raising=False)
    (tmp_path / "workspace").mkdir(exist_ok=True)
    (tmp_path / "workspace" / "config.toml").write_text('mode = "strict"\n')
    shell.run("%agent")
    assert "mode strict" in shell.shown
    shell.run('%config Assent.mode = "auto"')
    shell.run("%agent")
    assert "mode strict" in shell.shown
    said = shell.fail(f"%%agent --model {script(tmp_path, 'Done.')} --mode auto\nGo.")
    assert said.startswith("The mode here is strict")
    shell.run('%config Assent.mode = "dry-run"')
    shell.run("%agent")
    assert "mode dry-run" in shell.shown
    assert "'loose' is no value for --mode" in shell.fail("%%agent --mode loose\nGo.")
