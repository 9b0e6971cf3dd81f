"""`%agent history`, `fork` and `compare`: what one types, what one reads."""

from pathlib import Path

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from tests.magics.scripts import asks, call, script, text
from tests.magics.shell import Shell

SELECT = [text("Let me see."), call("sql", query="SELECT 1 AS n")]


def finished(shell: Shell, folder: Path) -> str:
    """A run of three steps: it read, it computed with leave, it answered."""
    model = script(folder, SELECT, asks("x = 6 * 7"), "It is 42.", "Twice that is 84.", "Done.")
    shell.run(f"%%agent --model {model}\nMultiply.")
    (waiting,) = shell.desk.session.pending()
    shell.run(f"%agent approve {waiting.call}")
    shell.run(f"%agent resume {waiting.run}")
    assert shell.namespace["x"] == 42
    return waiting.run


def latest(shell: Shell) -> str:
    return str(shell.run("%agent runs")["run"][0])


def test_history_is_a_table_of_steps(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)
    table = shell.run(f"%agent history {run[:6]}")
    assert table.columns.tolist() == [
        "step", "time (UTC)", "what", "text", "tool", "decision", "by", "result", "input_tokens", "output_tokens",
        "cost", "seconds", "model", "call",
    ]  # fmt: skip
    assert table["what"].tolist() == [
        "question", "turn", "call", "turn", "call", "suspended", "resumed", "answer", "finished",
    ]  # fmt: skip
    calls = table[table["what"] == "call"].set_index("call")
    assert calls.loc[f"{run}.1", ["step", "tool", "text", "decision", "by"]].tolist() == [
        1, "sql", "SELECT 1 AS n", "allow", "policy",
    ]  # fmt: skip
    assert calls.loc[f"{run}.2", ["step", "tool", "text", "decision"]].tolist() == [2, "python", "x = 6 * 7", "approve"]
    assert table["input_tokens"].sum() == 30
    assert pd.Timestamp.now("UTC").tz_localize(None) - table["time (UTC)"].max() < pd.Timedelta(minutes=5)


def test_a_finished_run_is_asked_further(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)
    shell.namespace["factor"] = 2
    assert shell.run(f'%agent fork {run} --prompt "And times {{factor}}?" --into said') is None
    assert f"Fork of {run} after step 3." in shell.shown
    assert "> And times 2?" in shell.shown
    assert shell.shown.index("It is 42.") < shell.shown.index("Fork of") < shell.shown.index("Twice that is 84.")
    assert "1 step · 10 in / 5 out tokens" in shell.shown
    assert shell.namespace["said"] == "Twice that is 84."
    table = shell.run(f"%agent history {latest(shell)}")
    assert table["shared_with"].tolist() == [run] * 6 + [""] * 3
    shell.run(f"%agent show {latest(shell)}")
    assert "> Multiply." in shell.shown
    assert f"Fork of {run} after step 3." in shell.shown


def test_an_earlier_step_goes_on_by_another_model(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)
    other = script(tmp_path, "", "I need no Python: 42.", name="other")
    del shell.namespace["x"]
    shell.run(f"%agent fork {run} --at 1 --model {other}")
    assert "I need no Python: 42." in shell.shown
    assert "x" not in shell.namespace
    assert shell.run("%agent runs")["model"].tolist()[0] == other


@pytest.mark.parametrize("arguments", ["'x = \"a\\nb\"'", "\"x = 'a\\nb'\"", """'{"code": "x = \\'a\\\\\\\\nb\\'"}'"""])
def test_a_call_is_edited_and_asked_about_again(shell: Shell, tmp_path: Path, arguments: str) -> None:
    run = finished(shell, tmp_path)
    shell.run(f"%agent fork {run} --edit {run}.2 {arguments}")
    (waiting,) = shell.desk.session.pending()
    assert "x = 6 * 7" not in shell.shown
    assert shell.namespace["x"] == 42
    assert f"Fork of {run} after step 2, with {waiting.call} edited." in shell.shown
    shell.run(f"%agent approve {waiting.call}")
    shell.run(f"%agent resume {waiting.run}")
    assert shell.namespace["x"] == "a\nb"
    assert "It is 42." in shell.shown


def test_on_ask_deny_holds_for_a_fork(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)
    shell.run(f"%agent fork {run} --at 1 --on-ask deny")
    assert "Denied" in shell.shown
    assert shell.desk.session.pending() == []


def test_a_name_stands_for_the_run(shell: Shell, tmp_path: Path) -> None:
    shell.namespace["run"] = finished(shell, tmp_path)
    shell.run("%agent fork {run} --prompt 'And?'")
    assert "Twice that is 84." in shell.shown
    shell.run("%agent fork {run} --edit {run}.1 'SELECT 2 AS n' --on-ask deny")
    assert "SELECT 2 AS n" in shell.shown


def test_compare_shows_the_runs_side_by_side(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)
    shell.run(f"%agent fork {run} --prompt 'And?'")
    fork = latest(shell)
    table = shell.run(f"%agent compare {run[:6]} {fork}")
    assert table.columns.tolist() == [run, fork]
    assert table.loc["answer"].tolist() == ["It is 42.", "Twice that is 84."]
    assert table.loc["input tokens"].tolist() == [30, 10]
    assert table.loc["first difference"].tolist() == ["step 4", "step 4"]
    assert "-It is 42.\n+Twice that is 84." in shell.shown


def test_forks_are_found_by_sql(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)
    shell.run(f"%agent fork {run} --at 0 --on-ask deny")
    found = shell.run("%agent sql SELECT forked_from FROM runs ORDER BY started")
    assert found["forked_from"].fillna("").tolist() == ["", run]


def test_what_cannot_be_done_is_said_in_a_line(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)
    for line, says in {
        "fork": "%agent runs lists the runs",
        f"fork {run}": "Say where: --at STEP, from 0 to 3",
        f"fork {run} --at 3": "nothing comes after it",
        f"fork {run} --at -1": "'-1' is no value for --at",
        f"fork {run} And so on?": '--prompt "…"',
        f"fork {run} --edit {run}.2": "An edit is a call and its new arguments",
        f"fork {run} --edit {run}.2 '{{1}}'": "are no JSON",
        f"fork {run} --edit {run}.7 'x = 1'": "has no call",
        f"fork {run} --at 1 --model spam:egg": "spam:egg",
        "fork nothing --at 1": "There is no run 'nothing'",
        "history": "Give one run",
        f"compare {run}": "Give two runs or more",
        f"resume {run}": f"%agent fork {run} --prompt",
    }.items():
        assert says in shell.fail(f"%agent {line}")
    assert len(shell.run("%agent runs")) == 1


def test_the_tab_key_offers_runs_and_options(shell: Shell, tmp_path: Path) -> None:
    run = finished(shell, tmp_path)

    def offered(line: str) -> list[str]:
        with provisionalcompleter():
            return [item.text for item in shell.ipython.Completer.completions(line, len(line))]

    for command in ("history", "fork", "compare"):
        assert run in offered(f"%agent {command} ")
    assert run in offered(f"%agent compare {run} ")
    assert "--edit" in offered(f"%agent fork {run} --e")
