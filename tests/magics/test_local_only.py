"""`%agent local_only` as an analyst types and reads it, and what a question tells of its variables."""

from pathlib import Path

import pandas as pd
import pytest
from tests.magics.scripts import script
from tests.magics.shell import Shell
from tests.support.chat_server import chat_server

import assent
from assent.tools.local_only import is_local_only
from assent_magics.interpolate import interpolated


def test_a_question_tells_which_variables_stand_in_it() -> None:
    frame = pd.DataFrame({"region": ["N", "S", "N", "S"], "revenue": [1, 2, 3, 4]})
    text, (number, table) = interpolated("Is {n} in {sales}?", {"n": 42, "sales": frame})
    assert (number.name, number.tables, number.bytes) == ("n", ("n",), 2)
    assert (table.name, table.columns, table.rows, table.total) == ("sales", ("region", "revenue"), 3, 4)
    assert text.encode()[-(table.bytes or 0) :].decode().startswith("sales: DataFrame")


def test_a_variable_is_marked_listed_and_let_go(shell: Shell) -> None:
    shell.run("import pandas\npatients = pandas.DataFrame({'age': [1]})")
    assert shell.run("%agent local_only") is None
    assert "No variable is marked" in shell.shown
    shell.run("%agent local_only patients")
    assert "No remote model is sent anything of patients" in shell.shown
    table = shell.run("%agent local_only")
    assert table["name"].tolist() == ["patients"]
    shell.run("copied = patients.copy()")
    assert is_local_only(shell.namespace["copied"])
    assert dict(shell.desk.session.marks.names) == {"patients": (), "copied": ("patients",)}
    shell.run("%agent local_only --end patients copied")
    assert not is_local_only(shell.namespace["patients"])
    assert shell.run("%agent local_only") is None


def test_what_a_policy_marks_is_told_and_let_go_in_its_file(shell: Shell) -> None:
    shell.desk.folder.mkdir(exist_ok=True)
    (shell.desk.folder / "policy.toml").write_text('[[local_only]]\nvariable = "patients"\n')
    shell.run("%agent local_only")
    assert "The policy keeps patients from remote models" in shell.shown
    assert "policy.toml names is let go there" in shell.fail("%agent local_only --end patients")


def test_what_makes_no_sense_says_what_to_do(shell: Shell) -> None:
    assert "no variable 'nothing'" in shell.fail("%agent local_only nothing")
    assert "%agent local_only --end NAME" in shell.fail("%agent local_only --end")
    assert "not marked" in shell.fail("%agent local_only --end x")
    with pytest.raises(assent.AssentError, match="%agent local_only NAME"):
        assent.local_only([1])


def test_nothing_of_it_gets_to_a_server_nor_into_what_the_notebook_shows(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with chat_server([]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        shell.run("import pandas, assent\npatients = assent.local_only(pandas.DataFrame({'diagnosis': ['gout-77']}))")
        said = shell.fail("%%agent --model openai:gpt-4o\nWhat have {patients}?")
        assert "`patients`, which is local only" in said
        assert "gout-77" not in said + caplog.text
        assert not server.requests


STEPS = {
    "in a list": "x = [patients]",
    "in an object": "class Box: pass\nx = Box()\nx.tables = {'p': patients}",
    "a list of values": "x = patients.diagnosis.tolist()",
    "a text": "x = patients.to_string()",
    "counted": "x = patients.diagnosis.value_counts()",
    "beside another table": "x = pandas.concat([patients, pandas.DataFrame({'diagnosis': ['flu']})])",
    "read by a function": "def worst():\n    return patients.diagnosis.max()\nx = worst()",
    "of what is made of it": "y = patients.diagnosis.tolist()\n\nx = '; '.join(y)",
}


@pytest.mark.parametrize("step", STEPS)
def test_what_a_cell_makes_of_it_is_not_sent(shell: Shell, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    with chat_server([]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        shell.run("import pandas, assent\npatients = assent.local_only(pandas.DataFrame({'diagnosis': ['gout-77']}))")
        for cell in STEPS[step].split("\n\n"):
            shell.run(cell)
        said = shell.fail("%%agent --model openai:gpt-4o\nWhat have {x}?")
        assert "`x`, which is local only" in said
        assert not server.requests


@pytest.mark.parametrize("made", ["{_}", "{Out}"])
def test_what_a_cell_gave_is_not_sent_where_no_name_has_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    with chat_server([]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        table = "assent.local_only(pandas.DataFrame({'diagnosis': ['gout-77']}))"
        shell.ipython.run_cell(f"import pandas, assent\n{table}", store_history=True)
        said = shell.fail(f"%%agent --model openai:gpt-4o\nWhat have {made}?")
        assert "(what it gave)`, which is local only" in said
        assert not server.requests


def test_what_a_cell_makes_of_something_else_is_not_marked(shell: Shell) -> None:
    shell.run("import pandas, assent\npatients = assent.local_only(pandas.DataFrame({'age': [41]}))")
    shell.run("x = 3\nfor n in range(2): pass")
    shell.run("oldest = patients.age.max()")
    shell.run("patients\nOut")
    assert dict(shell.desk.session.marks.names) == {"patients": (), "oldest": ("patients",)}


def test_an_answer_from_it_is_local_only_too(shell: Shell, tmp_path: Path) -> None:
    shell.run("import pandas, assent\npatients = assent.local_only(pandas.DataFrame({'age': [41]}))")
    shell.run(f"%%agent --model {script(tmp_path, 'They are 41.')} --into said\nHow old are {{patients}}?")
    assert shell.namespace["said"] == "They are 41."
    assert dict(shell.desk.session.marks.names) == {"patients": (), "said": ("patients",)}
