"""Sub-commands of `%agent`: what each shows, and the one sentence for what makes no sense."""

from pathlib import Path

import pandas as pd
import pytest
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell

from assent.core.events import Event, Kind
from assent.models.endpoints import ENDPOINTS


def asked(shell: Shell, folder: Path, code: str = "x = 1") -> tuple[str, str]:
    """A suspended run that wants to run `code`: the run and the call."""
    shell.run(f"%%agent --model {script(folder, asks(code), 'Done.')}\nDo it.")
    waiting = shell.desk.session.pending()[-1]
    return waiting.run, waiting.call


def test_alone_it_says_what_is_loaded(shell: Shell, tmp_path: Path) -> None:
    shell.run("%agent")
    assert str(tmp_path / "workspace") in shell.shown
    assert "agent analyst · model chosen at the first run" in shell.shown
    run, _ = asked(shell, tmp_path)
    shell.run("%agent")
    assert "runs: 1 suspended" in shell.shown
    assert f'{run}  analyst  suspended, 1 call waits for your answer  "Do it."    %agent pending' in shell.shown


def test_new_and_list(shell: Shell) -> None:
    shell.run('%agent new tidy --tools sql --instructions "Be brief." --max-steps 3 --description "tidies up"')
    agents = shell.run("%agent list").set_index("name")
    assert agents.loc["tidy", "max_steps"] == 3
    assert agents.loc["tidy", "tools"] == ["sql"]
    assert "analyst" in agents.index


def test_runs_and_show(shell: Shell, tmp_path: Path) -> None:
    shell.run(f"%%agent --model {script(tmp_path, 'Forty-two.')}\nWhat is it?")
    runs = shell.run("%agent runs")
    assert runs[["agent", "status", "asked", "outcome"]].values.tolist() == [
        ["analyst", "finished", "What is it?", "Forty-two."]
    ]
    shell.run(f"%agent show {runs['run'][0][:6]}")
    assert "> What is it?" in shell.shown
    assert "Forty-two." in shell.shown


def test_runs_shows_the_workspaces_runs_whatever_the_notebook_calls_its_data(shell: Shell, tmp_path: Path) -> None:
    run, _ = asked(shell, tmp_path)
    for name in ("runs", "events", "agent"):
        shell.namespace[name] = pd.DataFrame({"run": ["forged"], "status": ["finished"]})
    assert shell.run("%agent runs")["run"].tolist() == [run]


def test_pending_shows_what_would_run(shell: Shell, tmp_path: Path) -> None:
    shell.run("%agent pending")
    assert "Nothing waits for your answer." in shell.shown
    _, call = asked(shell, tmp_path, "danger = 99")
    shell.run("%agent pending")
    assert "danger = 99" in shell.shown
    assert f"%agent approve {call}" in shell.shown
    assert "load the data again" not in shell.shown
    shell.run(f"%agent approve {call}")
    shell.run("%agent pending")
    assert "Nothing waits for your answer. 1 run from before can go on: %agent says how." in shell.shown


def test_a_question_of_an_earlier_kernel_reminds_of_its_data(shell: Shell, tmp_path: Path) -> None:
    asked(shell, tmp_path)
    shell.ipython.extension_manager.reload_extension("assent")
    shell.run("%agent pending")
    assert "load the data again" in shell.shown


def test_approve_tells_how_to_go_on(shell: Shell, tmp_path: Path) -> None:
    run, call = asked(shell, tmp_path)
    shell.run(f"%agent approve {call} --for-run")
    assert f"{call}: approved. %agent resume {run} goes on with the run." in shell.shown
    shell.run("r = %agent runs")
    shell.run(f"%agent resume {run}")
    assert shell.namespace["x"] == 1


def test_reject_gives_the_agent_the_reason(shell: Shell, tmp_path: Path) -> None:
    run, call = asked(shell, tmp_path)
    shell.run(f'%agent reject {call} "it isn\'t needed"')
    assert f"{call}: rejected." in shell.shown
    shell.run(f"%agent resume {run}")
    assert "it isn't needed" in shell.shown
    assert "x" not in shell.namespace
    answered = shell.run(f"%agent sql SELECT verdict, reason FROM approvals WHERE call = '{call}'")
    assert answered.values.tolist() == [["reject", "it isn't needed"]]


def test_a_decision_is_made_once(shell: Shell, tmp_path: Path) -> None:
    _, call = asked(shell, tmp_path)
    shell.run(f"%agent reject {call}")
    assert "answered already: reject" in shell.fail(f"%agent approve {call}")


def test_stop_and_resume(shell: Shell, tmp_path: Path) -> None:
    run, call = asked(shell, tmp_path)
    shell.run(f"%agent stop {run[:5]}")
    assert f"The run {run} is cancelled." in shell.shown
    assert shell.run("%agent runs")["status"][0] == "cancelled"
    assert "there is nothing to stop" in shell.fail(f"%agent stop {run}")
    shell.run(f"%agent resume {run}")
    assert "suspended" in shell.shown
    shell.run(f"%agent approve {call}")
    shell.run(f"%agent resume {run}")
    assert "Done." in shell.shown
    assert "has finished; there is nothing to resume" in shell.fail(f"%agent resume {run}")


def test_model_is_used_from_now_on(shell: Shell, tmp_path: Path) -> None:
    model = script(tmp_path, "Yes.")
    shell.run(f"%agent model {model}")
    assert f"Runs now use {model}." in shell.shown
    shell.run("%%agent\nIs it?")
    assert "Yes." in shell.shown
    assert "spam:egg" in shell.fail("%agent model spam:egg")
    shell.run("%%agent\nIs it still?")
    assert "Yes." in shell.shown


def test_models_says_what_each_needs(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for row in ENDPOINTS for name in (*row.keys, *row.bases)]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    shell.run("%agent new tidy --model scripted:nothing.json")
    models = shell.run("%agent models")
    columns = ["model", "kind", "ready", "reachable", "input $/M", "output $/M", "needs"]
    assert list(models.columns) == columns
    first, openai = models.iloc[0], models[models["model"].str.startswith("openai:")].iloc[0]
    assert first[["model", "kind", "needs"]].tolist() == [
        "scripted:nothing.json", "configured", "the file nothing.json",
    ]  # fmt: skip
    assert openai[columns[1:]].tolist() == ["key", False, None, 0.25, 2, "set OPENAI_API_KEY"]


def test_tools_lists_those_of_the_notebook_too(shell: Shell) -> None:
    shell.run(
        "from assent import tool\n@tool(privilege='read_only')\ndef weigh(animal: str) -> float:\n"
        "    '''In grams.'''\n    return 1.0"
    )
    tools = shell.run("%agent tools").set_index("tool")
    assert tools.loc["weigh", "privilege"] == "read_only"
    assert tools.loc["weigh", "description"] == "In grams."
    assert tools.loc["python", "privilege"] == "execute_risky"


def test_sql_reads_views_and_frames(shell: Shell, tmp_path: Path) -> None:
    asked(shell, tmp_path)
    shell.namespace["names"] = pd.DataFrame({"agent": ["analyst"], "person": ["Ada"]})
    joined = shell.run("%%agent sql\nSELECT person, status FROM runs\nJOIN names USING (agent)")
    assert joined.values.tolist() == [["Ada", "suspended"]]
    assert shell.run("%%agent sql df <<\nSELECT 7 AS n") is None
    assert shell.namespace["df"]["n"].tolist() == [7]
    assert shell.run("%%agent sql other << SELECT 8 AS n\nWHERE true") is None
    assert shell.namespace["other"]["n"].tolist() == [8]
    shell.run("x = %agent sql SELECT {'a': 1} AS s")
    assert shell.namespace["x"]["s"][0] == {"a": 1}


def test_config_says_which_settings_hold(shell: Shell) -> None:
    shell.run("%config Assent.wait = 12.5")
    shell.run("%agent config")
    assert "wait       12.5" in shell.shown


def test_config_keeps_a_password_to_itself(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_BASE_URL", "http://me:geh@im@gpu.lan:8000/v1")
    shell.run("%agent config")
    assert "base_url   'http://gpu.lan:8000/v1'" in shell.shown
    assert "im@" not in shell.shown


def test_doctor_looks_at_the_open_workspace(shell: Shell, tmp_path: Path) -> None:
    asked(shell, tmp_path)
    shell.run("%agent doctor")
    assert "fit the hash chain" in shell.shown


NONSENSE = [
    ("help dance", "There is no command 'dance'"),
    ("new", "Give one name"),
    ("new two names", "Give one name"),
    ("new 2x", "'2x' is no name for an agent"),
    ("new sql", "No agent can be called 'sql'"),
    ("new tidy --tools spoon", "There is no tool 'spoon'; there are sql, python"),
    ("new tidy --into x", "Unknown option --into"),
    ("list all", "Nothing may follow"),
    ("runs all", "Nothing may follow"),
    ("show", "Give one word: %agent show RUN"),
    ("show nothing", "There is no run 'nothing'"),
    ("pending all", "Nothing may follow"),
    ("approve", "Give one word: %agent approve ID"),
    ("approve nothing", "'nothing' is no call's id"),
    ("approve no.1", "There is no run 'no'"),
    ("approve no.1 --wait 3", "Unknown option --wait"),
    ("reject", "Say which"),
    ("reject no.1 why", "There is no run 'no'"),
    ("stop", "Give one run: %agent stop RUN"),
    ("stop nothing", "There is no run 'nothing'"),
    ("models all", "Nothing may follow"),
    ("model", "Give one word: %agent model NAME"),
    ("tools all", "Nothing may follow"),
    ("sql", "There is no SQL statement"),
    ("sql DELETE FROM events", "Only reading is allowed"),
    ("sql SELECT 1; SELECT 2", "These are 2 statements"),
    ("sql class << SELECT 1", "'class' is no name"),
    ("config x", "Nothing may follow"),
    ("doctor x", "Nothing may follow"),
]


def test_what_makes_no_sense_is_one_sentence(shell: Shell, subtests: pytest.Subtests) -> None:
    for line, said in NONSENSE:
        with subtests.test(line):
            assert said in shell.fail(f"%agent {line}")


@pytest.mark.parametrize(
    ("query", "said"), [("SELEC 1", "syntax error"), ("SELECT * FROM nowhere", "nowhere does not")]
)
def test_wrong_sql_is_told_with_the_place(shell: Shell, query: str, said: str) -> None:
    assert said in shell.fail(f"%agent sql {query}", lines=True)
    assert "^" in shell.shown


def test_an_administrator_is_told_and_sees_everybodys(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_USER", "ana")
    body = {"prompt": "Bo asks.", "agent": {"name": "analyst"}}
    others = Event(kind=Kind.RUN_STARTED, run="bos", agent="analyst", user="bo", body=body)
    shell.desk.session.journal.house.append([others]).result()
    assert shell.run("%agent runs").empty
    assert "There is no run 'bos'" in shell.fail("%agent show bos")
    shell.run("%config Assent.admin = True")
    assert shell.run("%agent runs")["asked"].tolist() == ["Bo asks."]
    shell.run("%agent")
    assert "You are an administrator here and see everybody's runs." in shell.shown
    shell.run("%config Assent.admin = False")
    assert shell.run("%agent runs").empty
