"""Which setting wins: the cell's option, `%config`, the environment, config.toml, the default."""

from pathlib import Path

import pytest
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell


def settings_file(folder: Path, text: str) -> None:
    (folder / "workspace").mkdir(exist_ok=True)
    (folder / "workspace" / "config.toml").write_text(text)


def test_each_goes_over_the_one_before(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell.desk.config.wait == 600
    settings_file(tmp_path, "wait = 1\nmax_steps = 7\n")
    assert shell.desk.config.wait == 1
    monkeypatch.setenv("ASSENT_WAIT", "2")
    assert shell.desk.config.wait == 2
    shell.run("%config Assent.wait = 3")
    assert shell.desk.config.wait == 3
    assert shell.desk.command("x").wait == 3
    assert shell.desk.command("x", wait=4.0).wait == 4
    assert shell.desk.config.max_steps == 7


def test_an_option_of_a_cell_goes_over_all(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_MODEL", script(tmp_path, "By the environment.", name="env"))
    shell.run("x = %agent ask who?")
    assert shell.namespace["x"] == "By the environment."
    shell.run(f"x = %agent ask --model {script(tmp_path, 'By the option.', name='option')} who?")
    assert shell.namespace["x"] == "By the option."


def test_agents_and_policy_of_the_workspace(shell: Shell, tmp_path: Path) -> None:
    settings_file(tmp_path, '[policy]\npython = "disabled"\n[agents.tidy]\ntools = ["sql"]\n')
    assert "tidy" in shell.run("%agent list")["name"].tolist()
    shell.run(f"%%agent --model {script(tmp_path, asks('x = 1'), 'Then not.')}\nDo it.")
    assert "disabled by policy" in shell.shown
    assert "x" not in shell.namespace


def test_a_default_for_asking(shell: Shell, tmp_path: Path) -> None:
    shell.run("%config Assent.on_ask = 'deny'")
    shell.run(f"%%agent --model {script(tmp_path, asks('x = 1'), 'Then not.')}\nDo it.")
    assert "Then not." in shell.shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wait = [", "config.toml could not be read"),
        ("spam = 1", "Unknown setting spam"),
        ("wait = 'soon'", "the type float"),
        ("on_ask = 'approve'", "it must be wait, suspend or deny"),
        ("[policy]\nsql = 'maybe'", "it must be one of auto, ask, disabled"),
    ],
)
def test_a_file_that_makes_no_sense(shell: Shell, tmp_path: Path, text: str, said: str) -> None:
    settings_file(tmp_path, text)
    assert said in shell.fail("%agent runs")


def test_a_setting_that_makes_no_sense(shell: Shell) -> None:
    shell.run("%config Assent.on_ask = 'approve'")
    assert "it must be wait, suspend or deny" in shell.fail("%agent runs")
