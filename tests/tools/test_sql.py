"""The sql tool: reads the namespace's DataFrames, says which there are, writes nothing."""

import threading
from typing import Any

import pandas as pd
import pytest
from tests.support.calls import acted

from assent.tools.sql import frames_in, sql_tool, table_display, table_text
from assent.tools.tool import Output


def query(text: str, /, **namespace: Any) -> Output:
    return acted(sql_tool(lambda: namespace), query=text)


SALES = pd.DataFrame({"city": ["Bonn", "Ulm", None], "amount": [1.5, 2.0, None]})


def test_rows_come_back_as_csv_for_the_model_a_table_for_people_and_a_frame_for_python() -> None:
    output = query("SELECT city, amount * 2 AS twice FROM sales ORDER BY city", sales=SALES)
    assert output.text == "city,twice\nBonn,3\nUlm,4\n,"
    assert output.display == {
        "type": "table", "columns": ["city", "twice"], "rows": [["Bonn", "3"], ["Ulm", "4"], [None, None]], "total": 3,
    }  # fmt: skip
    assert list(output.value.columns) == ["city", "twice"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("DROP TABLE sales", "This is a DROP statement and was not run"),
        ("SELECT 1; SELECT 2", "These are 2 statements"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration"),
        ("SELECT * FROM hidden", "hidden does not exist"),
        ("SELECT * FROM _private", "_private does not exist"),
        ("SELECT * FROM text", "text does not exist"),
    ],
)
def test_an_error_names_the_tables_that_there_are(text: str, message: str) -> None:
    hidden = pd.DataFrame({"a": [1]})
    output = query(text, sales=SALES, _private=hidden, text="no frame")
    assert output.error
    assert message in output.text
    assert output.text.endswith("Tables here: sales")


def test_without_frames_it_says_so() -> None:
    assert "none: no DataFrame has been made yet" in query("SELECT * FROM sales").text
    assert query("SELECT 1 AS one").text == "one\n1"


def test_a_long_result_is_cut_for_the_model_and_whole_for_python() -> None:
    output = query("SELECT * FROM range(1000) AS t(i)")
    assert output.text.endswith("49\n… 950 more of 1,000 rows")
    assert output.display is not None
    assert (len(output.display["rows"]), output.display["total"], len(output.value)) == (20, 1000, 1000)


def test_reading_changes_no_frame() -> None:
    frame = SALES.copy()
    query("SELECT * FROM sales", sales=frame)
    pd.testing.assert_frame_equal(frame, SALES)


def test_a_result_with_odd_names_and_values_can_be_shown() -> None:
    frame = pd.DataFrame([[float("nan"), pd.NaT, "a\n  b", "x" * 300]], columns=["a", "a", "c\nd", "e"])
    shown = table_display(frame)
    assert shown["columns"] == ["a", "a", "c\nd", "e"]
    assert shown["rows"] == [[None, None, "a b", "x" * 200]]
    assert table_text(frame).count("x") == 300


def test_frames_are_told_from_other_values() -> None:
    assert list(frames_in({"a": SALES, "_b": SALES, "c": SALES["city"], "d": 1})) == ["a"]


def test_it_reads_only() -> None:
    tool = sql_tool(dict)
    assert (tool.privilege, tool.idempotent) == ("read_only", True)


def test_no_rows_are_told_as_such() -> None:
    assert query("SELECT city FROM sales WHERE amount > 5", sales=SALES).text == "city\n(no rows)"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1234567.891, "1234567.89"),
        (2e6, "2000000"),
        (3700.66225, "3700.66"),
        (-98765.4, "-98765.4"),
        (1e-7, "1e-07"),
        (1e18, "1e+18"),
    ],
)
def test_a_total_is_told_to_its_last_cent(value: float, words: str) -> None:
    output = query("SELECT sum(amount) AS total FROM sales", sales=pd.DataFrame({"amount": [value]}))
    assert output.text == f"total\n{words}"
    assert output.display is not None
    assert output.display["rows"] == [[words]]


def test_a_query_that_is_given_up_ends() -> None:
    endless = "SELECT count(*) FROM range(1000000000000) AS n(i) WHERE hash(i) = 5"
    output = acted(sql_tool(dict), seconds=0.2, query=endless)
    assert (output.error, "did not finish within 0.2 s" in output.text) == (True, True)
    left = [thread for thread in threading.enumerate() if thread.name == "assent-tool"]
    for thread in left:
        thread.join(10)
    assert not any(thread.is_alive() for thread in left)
