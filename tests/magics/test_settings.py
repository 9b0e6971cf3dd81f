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
        ("wait = 'soon'", "it must be a number"),
        ("mode = 'stric'", "it must be auto, strict or dry-run"),
        ("[agents.ada]\neffort = 'hgih'", "effort must be one of none, low, medium, high"),
        ("[agents.ada]\npriority = 'hgih'", "its priority one of critical, high, mid, low"),
        ("[agents.ada]\npolicy = {sql = 'maybe'}", "it must be one of auto, ask, disabled"),
        ("[models.default]\ntier = 'hgih'", "it must be high, mid, low"),
        ("on_ask = 'approve'", "it must be wait, suspend or deny"),
        ("[policy]\nsql = 'maybe'", "it must be one of auto, ask, disabled"),
    ],
)
def test_a_file_that_makes_no_sense(shell: Shell, tmp_path: Path, text: str, said: str) -> None:
    settings_file(tmp_path, text)
    assert said in shell.fail("%agent runs")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("on_ask = 'approve'", "on_ask is 'approve'; it must be wait, suspend or deny."),
        ("mode = 'stric'", "The mode of a run is 'stric'; it must be auto, strict or dry-run."),
        ("wait = -1.0", "wait must not be negative"),
        ("preview_seconds = 0.0", "preview_seconds must be more than 0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_not_taken(
    shell: Shell, line: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = shell.desk.config
    shell.run(f"%config Assent.{line}")
    assert said in caplog.text
    assert shell.desk.config == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MODE", "The mode of a run is 'stric'; it must be auto, strict or dry-run."),
        ("ON_ASK", "on_ask is 'stric'; it must be wait, suspend or deny."),
        ("PREVIEW", "preview in the environment is 'stric'; it must be true or false."),
        ("WAIT", "wait in the environment is 'stric'; it must be a number."),
        ("MAX_STEPS", "max_steps in the environment is 'stric'; it must be a whole number."),
    ],
)
def test_a_variable_that_makes_no_sense_is_said_with_what_there_is(
    shell: Shell, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ASSENT_{name}", "stric")
    assert said in shell.fail("%agent runs")
