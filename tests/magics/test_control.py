"""`%agent pause` and `%agent stop`: what a person types, and what they read."""

from pathlib import Path

import pytest
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell

from assent.core.agent import Agent
from assent.core.events import Kind, Scope, current_user
from assent.runs import stopping


def asked(shell: Shell, folder: Path) -> tuple[str, str]:
    """A suspended run that wants to run code: the run and the call."""
    shell.run(f"%%agent --model {script(folder, asks('x = 1'), 'Done.')}\nDo it.")
    waiting = shell.desk.session.pending()[-1]
    return waiting.run, waiting.call


def test_a_paused_run_keeps_its_question_and_goes_on_when_it_is_told(shell: Shell, tmp_path: Path) -> None:
    run, call = asked(shell, tmp_path)
    shell.run(f"%agent pause {run[:5]}")
    assert f"The run {run} is paused. %agent resume {run} goes on with it." in shell.shown
    runs = shell.run("%agent runs")
    assert runs[["status", "outcome"]].values.tolist() == [["paused", "paused by the analyst"]]
    shell.run(f"%agent show {run}")
    assert "Paused: paused by the analyst" in shell.shown
    shell.run(f"%agent approve {call}")
    assert f"%agent resume {run} goes on with the run." in shell.shown
    assert "x" not in shell.namespace
    assert "there is nothing to pause" in shell.fail(f"%agent pause {run}")
    shell.run(f"%agent resume {run}")
    assert "Done." in shell.shown
    assert shell.namespace["x"] == 1


def test_a_paused_run_can_be_stopped(shell: Shell, tmp_path: Path) -> None:
    run, _ = asked(shell, tmp_path)
    shell.run(f"%agent pause {run}")
    shell.run(f"%agent stop {run} --graceful 3")
    assert f"The run {run} is cancelled." in shell.shown
    shell.run("%agent pending")
    assert "Nothing waits for your answer." in shell.shown


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pause {run}", "The run faraway pauses once what is under way has ended. %agent"),
        ("stop {run} --graceful 30", "The run faraway stops within 30 s, as soon as what is under way has ended."),
    ],
)
def test_a_run_that_takes_its_time_elsewhere(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.setattr(stopping, "ANSWERS_WITHIN", 0.1)
    body = {"prompt": "Go.", "agent": Agent().to_json()}
    begins = Scope(run="faraway", agent="analyst", user=current_user()).event(Kind.RUN_STARTED, model="m", body=body)
    shell.desk.session.journal.append([begins]).result()
    shell.run("%agent " + line.format(run="faraway"))
    assert said in shell.shown
    assert "in another kernel, which does not answer" in shell.fail("%agent stop faraway")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pause", "Give one run: %agent pause RUN"),
        ("pause nothing", "There is no run 'nothing'"),
        ("pause one two", "Give one run"),
        ("stop x --now --graceful 3", "Say --now or --graceful SECONDS, not both"),
        ("stop x --graceful soon", "'soon' is no value for --graceful"),
        ("stop x --graceful", "--graceful needs a value"),
        ("pause x --now=3", "--now takes no value"),
        ("pause x --wait 3", "Unknown option --wait; there are --graceful, --now"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(shell: Shell, line: str, said: str) -> None:
    assert said in shell.fail(f"%agent {line}")


def test_help_says_what_the_options_do(shell: Shell) -> None:
    shell.run("%agent help pause")
    assert "once what is under way has ended" in shell.shown
    assert "--graceful" in shell.shown
    assert "cut off what is under way" in shell.shown
