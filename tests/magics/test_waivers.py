"""`%agent waive`, `%agent waivers` and `--budget`, as they are typed."""

from pathlib import Path

import pytest
from tests.magics.scripts import asks, call, script
from tests.magics.shell import Shell

MISSING = [
    ("%agent waive", "Give one tool or budget"),
    ("%agent waive python sql --reason x --until 2h", "Give one tool or budget"),
    ("%agent waive python --until 2h", "needs --reason"),
    ('%agent waive python --reason "x"', "needs --until"),
    ('%agent waive python --reason "x" --until soon', "is no end"),
    ('%agent waive python --reason "x" --until 2020-01-01', "is past"),
    ('%agent waive py* --reason "x" --until 2h', "is a pattern"),
    ('%agent waive python --reason "x" --until 2h --user "*"', "an administrator's to give"),
    ("%agent waive pyton --reason x --until 2h", "There is no tool 'pyton'; did you mean 'python'?"),
    ("%agent waive daily --budget --reason x --until 2h", "There is no budget 'daily'; there are none."),
    ("%agent waive sql --agent nobody --reason x --until 2h", "There is no agent 'nobody'"),
    ("%agent waivers end", "ends one"),
    ("%agent waivers end nothing", "no waiver 'nothing' to end"),
]


def budgeted(shell: Shell) -> None:
    shell.desk.folder.mkdir(exist_ok=True)
    (shell.desk.folder / "policy.toml").write_text('[[budget]]\nname = "daily"\nper = "day"\nmoney = 1\n')


def test_what_is_missing_is_asked_for(shell: Shell, subtests: pytest.Subtests) -> None:
    for line, said in MISSING:
        with subtests.test(line):
            assert said in shell.fail(line)


def test_it_is_given_listed_and_ended(shell: Shell) -> None:
    assert shell.run("%agent waivers") is None
    assert "No waiver holds." in shell.shown
    budgeted(shell)
    assert "say so with --budget" in shell.fail("%agent waive daily --reason x --until 2h")
    shell.run('%agent waive daily --budget --reason "month end" --until 2h --agent analyst')
    [waiver] = shell.desk.session.waivers.live()
    assert f"The waiver {waiver.id} loosens the budget daily of the agent analyst" in shell.shown
    [row] = shell.run("%agent waivers").to_dict("records")
    assert (row["loosens"], row["agent"], row["reason"]) == ("the budget daily", "analyst", "month end")
    shell.run(f"%agent waivers end {waiver.id[:4]}")
    assert "It loosened the budget daily" in shell.shown
    [kept] = shell.run("%agent sql SELECT waiver, ended IS NOT NULL AS over FROM waivers").to_dict("records")
    assert kept == {"waiver": waiver.id, "over": True}


def test_an_agents_own_code_gives_none(shell: Shell, tmp_path: Path) -> None:
    code = "get_ipython().run_line_magic('agent', 'waive sql --reason x --until 2h')"
    shell.run(f"%%agent --model {script(tmp_path, asks(code), 'Done.')}\nDo it.")
    [pending] = shell.desk.session.pending()
    shell.run(f"%agent approve {pending.call}")
    shell.run(f"%agent resume {pending.run}")
    assert "is a person's to give" in shell.shown
    assert shell.desk.session.waivers.live() == []


def test_a_run_that_its_budget_stops_stays_stopped(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir(exist_ok=True)
    (folder / "policy.toml").write_text('[[budget]]\nname = "few"\nper = "run"\ncalls = 0\n')
    shell.run(f"%%agent --budget 0.50 --model {script(tmp_path, [call('sql', query='SELECT 1')], 'Done.')}\nDo it.")
    assert "run ▱▱▱▱▱▱▱▱▱▱ $0.00 of $0.50" in shell.shown
    [run] = shell.run("%agent runs").to_dict("records")
    assert run["status"] == "suspended"
    shell.run(f"%agent resume {run['run']}")
    assert "The budget few (policy.toml:1) stops the run" in shell.shown
    shell.run('%agent waive few --budget --reason "it is only one" --until 10m')
    shell.run(f"%agent resume {run['run']} --budget 1")
    assert "The budget few is waived: 0 calls spent of 0 calls" in shell.shown


@pytest.mark.parametrize("amount", ["much", "-1", "nan", "0.0000000001"])
def test_a_budget_is_an_amount(shell: Shell, amount: str) -> None:
    assert "no value for --budget" in shell.fail(f"%%agent --budget {amount}\nGo.")


def test_budgets_say_what_is_left(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir(exist_ok=True)
    assert shell.run("%agent budgets") is None
    assert "No budget holds." in shell.shown
    limits = 'per = "day"\ncalls = 3\nmoney = 0.5\n[[budget]]\nname = "each"\nper = "run"\nlines = 9\n'
    (folder / "policy.toml").write_text(f'[[budget]]\nname = "daily"\n{limits}')
    shell.run(f"%%agent --model {script(tmp_path, [call('sql', query='SELECT 1')], 'Done.')}\nDo it.")
    shell.run('%agent waive daily --budget --reason "month end" --until 2030-01-01')
    rows = shell.run("%agent budgets").drop(columns=["stands in"]).values.tolist()
    assert rows == [
        ["daily", "day", "$0.50", "$0.00", "$0.50", "2030-01-02 00:00"],
        ["daily", "day", "3 calls", "1 call", "2 calls", "2030-01-02 00:00"],
        ["each", "run", "9 lines", "", "", ""],
    ]
    assert "one agent or none" in shell.fail("%agent budgets a b")
