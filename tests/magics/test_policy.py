"""`%agent policy`: what an analyst types to see the rules, to learn why, and to try them."""

import re
from pathlib import Path

import pytest
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell
from tests.support.people import listed

TEXT = """[[rule]]
tool = "pay"
mode = "ask"
when = "amount > 100"
who = ["ana"]

[agents.analyst]
ceiling = "execute_risky"
"""
PAY = """
from assent import tool
@tool(privilege="execute_safe")
def pay(amount: float, to: str = "") -> str:
    "Pays."
    return "paid"
"""


@pytest.fixture
def policed(shell: Shell) -> Shell:
    """A shell with a tool, an agent that has it, and rules for both."""
    shell.run(PAY)
    shell.run("%agent new trader --tools pay,sql")
    (shell.desk.folder / "policy.toml").write_text(TEXT)
    return shell


def test_without_a_file_it_says_what_is_built_in_and_where_rules_go(shell: Shell) -> None:
    frame = shell.run("%agent policy")
    assert set(frame["layer"]) == {"built-in"}
    assert re.search(r"No rules are written: only what is built in holds\. Rules go into .*policy\.toml", shell.shown)


def test_it_shows_every_line_that_holds(policed: Shell) -> None:
    frame = policed.run("%agent policy")
    own = frame[frame["layer"] == "workspace"]
    assert own[["line", "tool", "agent", "mode", "when, or what", "who answers"]].values.tolist() == [
        ["1", "pay", "", "ask", "amount > 100", "ana"],
        ["7", "(above execute_risky)", "analyst", "disabled", "", ""],
    ]


@pytest.mark.parametrize("arguments", ["amount=150 to='two words'", '{"amount": 150, "to": "two words"}'])
def test_it_explains_which_line_decides_a_call(policed: Shell, arguments: str) -> None:
    frame = policed.run(f"%agent policy explain --agent trader pay {arguments}")
    assert "pay asks (policy.toml:1): policy asks for pay where amount > 100. ana answers." in policed.shown
    assert frame[frame["decides"]][["voice", "line", "says"]].values.tolist() == [["rule", "policy.toml:1", "ask"]]
    policed.run("%agent policy explain --agent trader pay amount=50")
    assert "pay runs on its own (built-in)" in policed.shown


@pytest.mark.parametrize(
    "arguments",
    ["{call}", "amount={amount} to={to}", '{"amount": 150, "to": "{acme}"}', "amount=150 to='$to'", "{spelt}"],
)
def test_braces_in_a_call_stay_and_a_variable_stands_for_its_value(policed: Shell, arguments: str) -> None:
    policed.run("from decimal import Decimal\nto, acme, amount = 'two words', 'a\"b', Decimal('150')")
    policed.run("call = {'amount': amount, 'to': '{to}'}; spelt = '{\"amount\": 150, \"to\": \"{acme}\"}'")
    (policed.desk.folder / "policy.toml").write_text(
        "[[rule]]\ntool = 'pay'\nmode = 'disabled'\n"
        "when = \"amount == 150 and to in ['two words', '{acme}', '{to}', '$to']\""
    )
    frame = policed.run(f"%agent policy explain --agent trader pay {arguments}")
    assert frame[frame["decides"]]["says"].tolist() == ["deny"]
    assert "cannot be told" not in policed.shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{nobody}", r"\{nobody\} stands for a variable, and there is none of that name: bind it first\."),
        ("amount={nobody}", r"\{nobody\} stands for a variable, and there is none of that name: bind it first\."),
        ("{amount}", r"cannot be read: .* Write amount=150 to='two words', JSON, or \{name\} for a variable"),
        ("to={odd}", r"\{odd\} cannot stand in a call, whose arguments are JSON: it holds object\."),
    ],
)
def test_what_no_variable_can_stand_for_is_one_error(policed: Shell, arguments: str, said: str) -> None:
    policed.run("amount, odd = 150, object()")
    assert re.search(said, policed.fail(f"%agent policy explain pay {arguments}"))


def test_a_long_condition_is_shown_whole(policed: Shell) -> None:
    policed.run("%agent policy add pay ask --when \"amount > 100 and to in ['acme', 'umbrella', 'initech', 'globex']\"")
    frame = policed.run("%agent policy")
    for shown in (policed.shown, frame._repr_html_().replace("&gt;", ">")):
        assert "amount > 100 and to in ['acme', 'umbrella', 'initech', 'globex']" in shown


def test_a_tool_that_the_agent_does_not_have_is_said_to_be_denied(policed: Shell) -> None:
    policed.run("%agent policy explain pay amount=50")
    assert "pay is denied (built-in): The agent has no tool 'pay'; it has" in policed.shown
    assert "The agent analyst does not have pay; %agent new NAME --tools pay makes one that does." in policed.shown
    assert "For such a one: %agent policy explain --agent NAME pay amount=50" in policed.shown


ALL = """[[budget]]
name = "daily"
per = ["user", "day"]
agent = "intern"
money = 2.5
[[mask]]
column = "name"
restore = true
[[local_only]]
variable = "patients"
[ask]
approvers = 2
expires = "2h"
[[risk]]
tool = "pay"
check = "max_amount"
argument = "amount"
limit = 500
"""


def test_every_section_is_told_as_a_person_reads_it(policed: Shell) -> None:
    (policed.desk.folder / "policy.toml").write_text(ALL)
    frame = policed.run("%agent policy")
    own = frame[frame["layer"] == "workspace"]
    assert own[["line", "tool", "agent", "mode", "when, or what"]].values.tolist() == [
        ["1", "(budget daily)", "intern", "stop", "over $2.50 per user and day; warns at 80%"],
        ["6", "(sent to models)", "", "mask", "column name; put back in answers"],
        ["9", "(sent to models)", "", "local only", "patients"],
        ["11", "(whatever asks)", "", "ask", ""],
        ["14", "pay", "", "check", "max amount: amount at most 500"],
    ]
    assert "workspace, line 1: there is no agent 'intern' yet: the line counts once %agent new" in policed.shown


def test_a_rule_for_an_agent_that_is_to_come_lets_runs_begin_and_counts_once_it_is_there(
    policed: Shell, tmp_path: Path
) -> None:
    (policed.desk.folder / "policy.toml").write_text('[agents.traider]\nceiling = "read_only"\n')
    said = "workspace, line 1: there is no agent 'traider' yet; did you mean 'trader'?\n"
    for shown in (1, 0):
        policed.run(f"%%agent --model {script(tmp_path, 'Hi.')}\nHello?")
        assert policed.shown.count(f"Policy: {said}") == shown
    policed.run("%agent policy")
    assert said in policed.shown
    policed.run("%agent new traider --tools pay")
    policed.run("%agent policy")
    assert "there is no agent" not in policed.shown
    policed.run("%agent policy explain --agent traider pay amount=1")
    assert "pay is denied (policy.toml:1)" in policed.shown


def test_what_is_added_tightens_this_session_and_ends_with_it(policed: Shell) -> None:
    policed.run('%agent policy add pay ask --when "amount > 10" --agent trader')
    frame = policed.run('%agent policy add \'budget = [{name = "today", per = "day", calls = 5}]\'')
    assert frame[["layer", "line", "tool", "agent", "mode"]].values.tolist() == [
        ["session", "1", "pay", "trader", "ask"],
        ["session", "2", "(budget today)", "", "stop"],
    ]
    policed.run("%agent policy explain --agent trader pay amount=50")
    assert "pay asks (session:1): policy asks for pay where amount > 10." in policed.shown
    assert policed.run("%agent policy")["layer"].tolist()[-3:] == ["workspace", "session", "session"]
    policed.run("%agent policy clear")
    assert "session" not in policed.run("%agent policy")["layer"].tolist()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("add pay", "Give a tool and auto, ask or disabled: %agent policy add pay ask --when"),
        ("add pya ask", "session:1: unknown tool 'pya'; did you mean 'pay'?"),
        ("add pay auto", "auto alone changes nothing for pay: a policy only tightens."),
        ("add pay aks", "session:1: mode is 'aks'; did you mean 'ask'?"),
        ("add python auto --when 'code == 1'", "session:1: python is execute_risky, which asks whatever a policy says"),
        ('add pay ask --when "amuont > 1"', "session:1: pay has no argument 'amuont'; did you mean 'amount'?"),
        ("add 'ask = {'", "This is not TOML"),
        ("add 'aks = {approvers = 2}'", "session: aks must be a list of mappings"),
        ('add \'waiver = [{tool = "pay", reason = "x", until = "2999-01-01"}]\'', "a waiver cannot stand"),
    ],
)
def test_what_cannot_be_added_changes_nothing(policed: Shell, line: str, expected: str) -> None:
    assert expected in policed.fail(f"%agent policy {line}")
    assert "session" not in policed.run("%agent policy")["layer"].tolist()


def test_who_may_answer_adds_up_and_whoever_is_not_listed_is_named(
    policed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSENT_PEOPLE", str(listed()))
    frame = policed.run("%agent policy add pay ask --who ana --who ben,bob")
    assert frame["who answers"].tolist() == ["ana, ben, bob"]
    assert "bob cannot answer yet: 'bob' is not among %agent people. %agent people add bob lists them." in policed.shown
    assert "ben cannot answer" not in policed.shown
    policed.run("%agent policy add 'ask = {who = [\"rob\"]}'")
    assert "rob cannot answer yet" in policed.shown


def test_an_agent_s_call_adds_nothing(policed: Shell, tmp_path: Path) -> None:
    code = "get_ipython().run_line_magic('agent', 'policy clear')"
    policed.run("%agent policy add python ask")
    policed.run(f"%%agent --model {script(tmp_path, asks(code), 'Done.')}\nDo it.")
    [waiting] = policed.desk.session.pending()
    policed.run(f"%agent approve {waiting.call}")
    policed.run(f"%agent resume {waiting.run}")
    assert policed.run("%agent policy")["layer"].tolist()[-1] == "session"


def examples(folder: Path, expect: str) -> Path:
    file = folder / "examples.toml"
    file.write_text(
        '[[example]]\ncall = "pay"\nagent = "trader"\narguments = { amount = 50 }\nexpect = "allow"\n\n'
        f'[[example]]\ncall = "pay"\nagent = "trader"\narguments = {{ amount = 500 }}\nexpect = "{expect}"\n'
    )
    return file


def test_examples_that_come_out_as_expected_are_shown(policed: Shell, tmp_path: Path) -> None:
    frame = policed.run(f"%agent policy test {examples(tmp_path, 'ask')}")
    assert "2 examples, each as expected." in policed.shown
    assert frame[["line", "got", "by"]].values.tolist() == [[1, "allow", "built-in"], [7, "ask", "policy.toml:1"]]


def test_an_example_that_comes_out_otherwise_fails_with_its_line_and_why(policed: Shell, tmp_path: Path) -> None:
    said = policed.fail(f"%agent policy test {examples(tmp_path, 'deny')}", lines=True)
    assert said.splitlines()[0].startswith("1 of 2 examples in ")
    assert "examples.toml:7: expected deny, but pay asks (policy.toml:1)" in said
    assert "got" in policed.shown


def test_an_example_of_a_misspelt_tool_does_not_hold(policed: Shell, tmp_path: Path) -> None:
    file = tmp_path / "examples.toml"
    file.write_text('[[example]]\nexpect = "deny"\ncall = "pya"\n')
    assert "examples.toml:3: unknown tool 'pya'; did you mean 'pay'?" in policed.fail(f"%agent policy test {file}")


def test_a_misspelt_argument_is_not_explained_as_one_that_is_missing(policed: Shell, tmp_path: Path) -> None:
    said = "pay has no argument 'amonut'; did you mean 'amount'?"
    assert said in policed.fail("%agent policy explain --agent trader pay amonut=500")
    file = examples(tmp_path, "ask")
    file.write_text(file.read_text().replace("amount = 500", "amonut = 500"))
    assert f"examples.toml:10: {said}" in policed.fail(f"%agent policy test {file}")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%agent policy show", "'show' is nothing that a policy can do."),
        ("%agent policy explain", "Say which call"),
        ("%agent policy explain pay 150", "'150' is no argument: write NAME=VALUE"),
        ("%agent policy explain pay amount=1 --agent a", "--agent stands before the tool"),
        ("%agent policy explain pay {", "The arguments cannot be read"),
        ("%agent policy explain pay to='", "The arguments cannot be read"),
        ("%agent policy test", "Give one file"),
        ("%agent policy test nowhere.toml", "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(shell: Shell, line: str, expected: str) -> None:
    assert expected in shell.fail(line)


def test_a_broken_file_is_named_with_its_line_wherever_it_matters(policed: Shell, tmp_path: Path) -> None:
    (policed.desk.folder / "policy.toml").write_text('[[rule]]\ntool = "pya"\nmode = "ask"\n')
    for line in ("%agent policy", "%agent policy explain pay", f"%%agent --model {script(tmp_path, 'Hi.')}\nHello?"):
        assert "policy.toml:2: unknown tool 'pya'; did you mean 'pay'?" in policed.fail(line)
