"""`--as-type`, `--image`, `--effort` and `--priority` in a shell."""

import datetime
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.magics.scripts import asks, call, script
from tests.magics.shell import Shell

INVOICE = """
from pydantic import BaseModel
class Invoice(BaseModel):
    number: int
    day: "datetime.date"
import datetime
Invoice.model_rebuild()
"""
GOOD = '{"number": 7, "day": "2024-02-29"}'


@pytest.fixture
def invoice(shell: Shell) -> type[Any]:
    shell.run(INVOICE)
    found: type[Any] = shell.namespace["Invoice"]
    return found


def test_into_binds_the_value(shell: Shell, tmp_path: Path, invoice: type[Any]) -> None:
    model = script(tmp_path, [call("sql", query="SELECT 1 AS one")], GOOD)
    assert shell.run(f"%%agent --model {model} --as-type Invoice --into bill\nWhich invoice is it?") is None
    assert shell.namespace["bill"] == invoice(number=7, day=datetime.date(2024, 2, 29))


@pytest.mark.parametrize(
    ("option", "answer", "value"),
    [
        ("--as-type int", '{"value": 42}', 42),
        ("--as-type=list[str]", '{"value": ["a"]}', ["a"]),
        ("--as-type 'dict[str, int]'", '{"a": 1}', {"a": 1}),
        ("--as-type 'int | None'", '{"value": null}', None),
        ("--as-type \"Literal['yes', 'no']\"", '{"value": "no"}', "no"),
    ],
)
def test_ask_gives_the_value(shell: Shell, tmp_path: Path, option: str, answer: str, value: Any) -> None:
    shell.run(f"x = %agent ask {option} --model {script(tmp_path, answer)} how many?")
    assert shell.namespace["x"] == value
    assert type(shell.namespace["x"]) is type(value)


@pytest.mark.parametrize("kind", ['"region: str, revenue: float"', "columns", "frame"])
def test_a_table(shell: Shell, tmp_path: Path, kind: str) -> None:
    shell.namespace["columns"] = {"region": str, "revenue": "float64"}
    shell.namespace["frame"] = pd.DataFrame({"region": ["north"], "revenue": [1.5]})
    model = script(tmp_path, '{"rows": [{"region": "south", "revenue": 2}]}')
    frame = shell.run(f"%agent ask --as-type {kind} --model {model} Which region sells most?")
    assert frame.to_dict("list") == {"region": ["south"], "revenue": [2.0]}
    assert frame.dtypes.equals(shell.namespace["frame"].dtypes)


def test_a_run_goes_on_where_its_type_is_known(shell: Shell, tmp_path: Path, invoice: type[Any]) -> None:
    model = script(tmp_path, asks("x = 1"), GOOD)
    shell.run(f"%%agent --model {model} --as-type Invoice --into bill --on-ask suspend\nWhich?")
    pending = shell.desk.session.pending()[0]
    shell.run(f"%agent approve {pending.call}")
    del shell.namespace["Invoice"]
    assert "There is no type 'Invoice' in this session. Run the cell" in shell.fail(f"%agent resume {pending.run}")
    shell.run(INVOICE)
    shell.run(f"%agent resume {pending.run} --into bill")
    assert shell.namespace["bill"].number == 7


def test_what_goes_wrong_is_one_line(shell: Shell, tmp_path: Path, invoice: type[Any]) -> None:
    shell.namespace["number"] = 5
    model = script(tmp_path, "I do not know.", '{"number": "seven"}')
    assert "There is no type 'Bill'" in shell.fail(f"%%agent --as-type Bill --model {model}\nWhich?")
    assert "'number' is int here" in shell.fail(f"%%agent --as-type number --model {model}\nWhich?")
    assert "A DataFrame needs columns" in shell.fail("import pandas\n%agent ask --as-type pandas.DataFrame which?")
    said = shell.fail(f"%%agent --as-type Invoice --model {model}\nWhich?")
    assert "does not fit the type Invoice, also when asked for again: number: Input should be a valid integer" in said


def test_pictures(shell: Shell, tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    (tmp_path / "plot.png").write_bytes(png)
    shell.namespace["photo"] = png + b"x"
    model = script(tmp_path, "A plot.")
    shell.run(f"%%agent --image plot.png --image photo --model {model}\nWhat is it?")
    body = shell.run("%agent sql SELECT body FROM events WHERE kind = 'run_started'")["body"][0]
    assert [image["media_type"] for image in json.loads(body)["images"]] == ["image/png"] * 2
    assert "'none.png' cannot be read" in shell.fail(f"%%agent --image none.png --model {model}\nWhat is it?")


def test_effort_and_priority(shell: Shell, tmp_path: Path) -> None:
    shell.run("%agent new quick --effort low --priority critical")
    assert (shell.desk.session.agent("quick").effort, shell.desk.session.agent("quick").priority) == ("low", "critical")
    model = script(tmp_path, "Yes.")
    shell.run(f"%%agent quick --model {model}\nIs it?")
    shell.run(f"%%agent quick --model {model} --effort high --priority low\nIs it?")
    agents = shell.run("%agent sql SELECT body ->> '$.agent.effort' AS e, body ->> '$.agent.priority' AS p FROM events "
                       "WHERE kind = 'run_started' ORDER BY seq")  # fmt: skip
    assert agents.values.tolist() == [["low", "critical"], ["high", "low"]]
