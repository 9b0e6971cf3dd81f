"""A variable in a question is told in short, but no half of what is to be masked."""

from pathlib import Path

import pandas as pd
import pytest
from tests.magics.shell import Shell
from tests.support.chat_server import chat_server, says

MAIL, CARD = "anna.schmidt@example.com", "4111 1111 1111 1111"
POLICY = '[[mask]]\nkind = "email"\n[[mask]]\nkind = "card"\n'


MADE = [
    "people.name", "people.name.tolist()", "[people]", "{'p': people}", "people.rename(columns={'name': 'who'})",
    "people.groupby('name').n.sum()", "people.to_string()",
]  # fmt: skip


@pytest.mark.parametrize("made", MADE)
def test_what_was_made_of_a_table_is_told_without_its_masked_columns(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    (tmp_path / "workspace" / "policy.toml").write_text('[[mask]]\ncolumn = "name"\n')
    names = shell.ipython.user_ns
    people = names["people"] = pd.DataFrame({"name": ["Zacharias Ohlendorf", "Bob Quentin"], "n": [1, 2]})
    names["x"] = eval(made, {"people": people})
    with chat_server([says("Yes.")]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        shell.run("%%agent --model openai:m\nWho is it? {x}")
        shell.ipython.loop_runner(shell.desk.session.aclose())
    [asked] = [received.body["messages"][-1]["content"] for received in server.requests]
    assert "[name_1]" in asked
    assert "Ohlendorf" not in asked
    assert "Quentin" not in asked


@pytest.mark.parametrize("value", [MAIL, CARD])
@pytest.mark.parametrize(
    ("shape", "before"), [(str, 499), (lambda text: [text], 498), (pd.Series, 40), (pd.DataFrame, 39)]
)
def test_no_half_of_it_is_in_the_question(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: type, before: int, value: str
) -> None:
    (tmp_path / "workspace" / "policy.toml").write_text(POLICY)
    half = len(value) // 2
    text = f"{';' * (before - half - 1)} {value} {';' * 600}"
    shell.ipython.user_ns["said"] = shape([text]) if shape in (pd.Series, pd.DataFrame) else shape(text)
    with chat_server([says("Yes.")]) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        shell.run("%%agent --model openai:m\nWho is it? {said}")
        shell.ipython.loop_runner(shell.desk.session.aclose())
    [asked] = [received.body["messages"][-1]["content"] for received in server.requests]
    assert "_1]" in asked
    assert not any(value[at : at + 4] in asked for at in range(len(value) - 3))
