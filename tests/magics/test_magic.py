"""`%%agent` and `%agent` in a shell where nobody can be asked."""

from pathlib import Path

import pandas as pd
import pytest
from tests.magics.scripts import asks, call, script, text
from tests.magics.shell import Shell

TABLE = [call("sql", query="SELECT n, n * n AS square FROM numbers ORDER BY n")]


@pytest.fixture
def numbers(shell: Shell) -> pd.DataFrame:
    frame = pd.DataFrame({"n": [1, 2, 3]})
    shell.namespace["numbers"] = frame
    return frame


def test_a_cell_shows_the_run(shell: Shell, tmp_path: Path, numbers: pd.DataFrame) -> None:
    model = script(tmp_path, TABLE, "The squares are **1, 4, 9**.")
    assert shell.run(f"%%agent --model {model}\nSquare {{numbers}}.") is None
    assert "sql · done" in shell.shown
    assert "square" in shell.shown
    assert "1, 4, 9" in shell.shown
    prompt = shell.run("%agent sql SELECT prompt FROM runs")["prompt"][0]
    assert "3 rows" in prompt


def test_into_binds_the_table_of_the_last_step(shell: Shell, tmp_path: Path, numbers: pd.DataFrame) -> None:
    shell.run(f"%%agent --model {script(tmp_path, TABLE, 'Done.')} --into squares\nSquare them.")
    assert shell.namespace["squares"]["square"].tolist() == [1, 4, 9]


def test_into_binds_the_text_where_there_is_no_table(shell: Shell, tmp_path: Path) -> None:
    shell.run(f"%%agent --into said --model {script(tmp_path, 'Forty-two.')}\nWhat is it?")
    assert shell.namespace["said"] == "Forty-two."


@pytest.mark.parametrize("question", ["how many", "how many?", "what's {numbers}?"])
def test_ask_is_an_expression(shell: Shell, tmp_path: Path, numbers: pd.DataFrame, question: str) -> None:
    shell.run(f"x = %agent ask --model {script(tmp_path, 'Three.')} {question}")
    assert shell.namespace["x"] == "Three."


def test_what_left_is_asked_in_two_words(shell: Shell, tmp_path: Path, numbers: pd.DataFrame) -> None:
    shell.run(f"%%agent --model {script(tmp_path, 'Three.')}\nHow many are in {{numbers}}?")
    left = shell.run("%agent sql FROM egress")
    [row] = left[left["what"] == "variable"].to_dict("records")
    assert (row["name"], list(row["tables"]), list(row["columns"])) == ("numbers", ["numbers"], ["n"])
    assert (row["rows"], row["of_rows"], row["local"]) == (3, 3, True)
    assert row["bytes"] > 0


def test_ask_in_a_loop(shell: Shell, tmp_path: Path) -> None:
    model = script(tmp_path, "Yes.")
    shell.run(
        f"said = []\nfor word in ('one', 'two'):\n    x = %agent ask --model {model} is it {{word}}?\n    said += [x]"
    )
    assert shell.namespace["said"] == ["Yes.", "Yes."]
    assert shell.run("%agent sql SELECT prompt FROM runs ORDER BY started")["prompt"].tolist() == [
        "is it 'one'?",
        "is it 'two'?",
    ]


def test_a_named_agent_and_one_with_fewer_tools(shell: Shell, tmp_path: Path, numbers: pd.DataFrame) -> None:
    shell.run('%agent new tidy --tools sql --instructions "Be brief."')
    shell.run(f"%%agent tidy --model {script(tmp_path, 'Yes.')}\nIs it tidy?")
    shell.run(f"%%agent --tools python --model {script(tmp_path, TABLE, 'No.', name='other')}\nSquare them.")
    assert "The agent has no tool 'sql'; it has python." in shell.shown
    assert shell.run("%agent sql SELECT agent FROM runs ORDER BY started")["agent"].tolist() == ["tidy", "analyst"]


def test_a_question_that_asks_is_suspended_and_says_how_to_go_on(shell: Shell, tmp_path: Path) -> None:
    shell.run(f"%%agent --model {script(tmp_path, asks('x = 1 + 1'), 'Two.')}\nAdd.")
    assert "suspended" in shell.shown
    assert "nobody can be asked here" in shell.shown
    waiting = shell.desk.session.pending()[0]
    assert f"%agent approve {waiting.call}" in shell.shown
    assert "x" not in shell.namespace
    shell.run(f"%agent approve {waiting.call}")
    assert f"%agent resume {waiting.run} goes on" in shell.shown
    shell.run(f"%agent resume {waiting.run} --into said")
    assert shell.namespace["x"] == 2
    assert shell.namespace["said"] == "Two."
    assert "Two." in shell.shown


def test_on_ask_deny_tells_the_agent_and_goes_on(shell: Shell, tmp_path: Path) -> None:
    shell.run(f"%%agent --on-ask deny --model {script(tmp_path, asks('x = 2'), 'Then not.')}\nAdd.")
    assert "x" not in shell.namespace
    assert "Then not." in shell.shown
    assert "denied" in shell.shown.lower()


@pytest.mark.parametrize(
    "cell",
    [
        "%%time\n%agent ask how many",
        "def f():\n    %agent ask how many\nf()",
        "f = lambda: get_ipython().run_line_magic('agent', 'ask how many')\nf()",
        "%time x = get_ipython().run_line_magic('agent', 'ask how many')",
    ],
)
def test_where_nothing_can_be_awaited_it_says_so(shell: Shell, cell: str) -> None:
    assert "%%agent on the first line of a cell of its own" in shell.fail(cell)


def test_without_autoawait_it_says_so(shell: Shell) -> None:
    shell.run("%autoawait False")
    try:
        assert "%autoawait off" in shell.fail("%%agent\nHow many?")
    finally:
        shell.run("%autoawait asyncio")


NONSENSE = [
    ("%%agent --spam 1\nx", "Unknown option --spam"),
    ("%%agent --wait soon\nx", "'soon' is no value for --wait"),
    ("%%agent one two\nx", "takes one agent's name, not 'one two'"),
    ("%%agent nobody\nx", "There is no agent 'nobody'; there are analyst"),
    ("%%agent nobody --tools sql\nx", "There is no agent 'nobody'; there are analyst"),
    ("%%agent\n", "the cell body is empty"),
    ("%%agent\n   \n", "There is no question"),
    ("%agent ask", "There is no question"),
    ("%agent ask --into x", "There is no question"),
    ("%agent resume", "Give one run"),
    ("%agent resume nothing", "There is no run 'nothing'"),
    ("%agent polcy", "There is no command 'polcy'; did you mean policy?"),
    ("%agent help waiver", "There is no command 'waiver'; did you mean waivers?"),
    ("%agent dance", "There is no command 'dance'; there are help, ask"),
    ("%%agent --model spam:egg\nx", "There is no model 'spam:egg'"),
    ("%%agent --model scripted:/nowhere.json\nx", "cannot be read"),
    ("%agent ask --model openai:gpt x", "OPENAI_API_KEY"),
]


def test_bad_input_is_one_sentence(shell: Shell, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for cell, said in NONSENSE:
        with subtests.test(cell):
            assert said in shell.fail(cell)


def test_a_tool_that_is_not_there(shell: Shell, tmp_path: Path) -> None:
    said = shell.fail(f"%%agent --tools spoon --model {script(tmp_path, 'Yes.')}\nx")
    assert "needs the tool spoon, which is not defined in this session" in said


def test_a_run_that_fails_is_one_sentence_and_can_be_resumed(shell: Shell, tmp_path: Path) -> None:
    said = shell.fail(f"%%agent --max-steps 1 --model {script(tmp_path, asks('1'), 'One.')} --on-ask deny\nAdd.")
    assert "no answer after 1 steps" in said
    run = shell.run("%agent sql SELECT run FROM runs")["run"][0]
    shell.run("%agent resume {run}".replace("{run}", run))
    assert "One." in shell.shown


def test_text_parts(shell: Shell, tmp_path: Path) -> None:
    """Words of a step stay beside its calls; only the last ones are the answer."""
    model = script(tmp_path, [text("I look."), call("sql", query="SELECT 1 AS one")], "It is one.")
    shell.run(f"%%agent --model {model}\nWhat is it?")
    assert shell.shown.index("I look.") < shell.shown.index("SELECT 1") < shell.shown.index("It is one.")
