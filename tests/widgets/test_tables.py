import re

from assent_widgets.tables import table_html, table_text


def test_text_is_aligned_numbers_to_the_right() -> None:
    assert table_text(["name", "n"], [["a", 1], ["long name", 1000], [None, None]]) == (
        "name          n\n"
        "---------  ----\n"
        "a             1\n"
        "long name  1000\n"
        "NULL       NULL"
    )  # fmt: skip


def test_wide_and_combining_signs_are_aligned() -> None:
    lines = table_text(["city", "n"], [["東京", 1], ["Zu\u0308rich", 2], ["Bonn", 3]]).splitlines()
    assert lines[2:] == ["東京    1", "Zu\u0308rich  2", "Bonn    3"]


def test_rows_beyond_the_limit_are_counted() -> None:
    rows = [[i] for i in range(40)]
    assert table_text(["i"], rows).endswith("14\n… 25 more rows")
    assert table_text(["i"], rows[:15], total=16).endswith("… 1 more row")
    assert "… 985 more rows" in table_html(["i"], rows[:15], total=1000)
    assert table_html(["i"], rows).count("<tr>") == 16
    assert "more" not in table_html(["i"], rows[:15], total=15)


def test_no_rows_and_no_columns() -> None:
    assert table_text(["a"], [], 0) == "a\n-\nno rows"
    assert "no rows" in table_html(["a"], [])
    assert "no rows" in table_text([], [])


def test_cells_are_escaped_and_shortened() -> None:
    shown = table_html(["<b>"], [["<script>alert(1)</script>"], ["x" * 10_000], ["\x1b[31mred"]])
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "x" * 201 not in shown
    assert ">red<" in shown


def test_a_cell_in_text_stays_on_its_line() -> None:
    assert table_text(["a"], [["one\ntwo\tthree"]]).splitlines()[2] == "one⏎two three"


def test_numbers_keep_what_can_be_read() -> None:
    text = table_text(["x"], [[0.1 + 0.2], [1234567.891], [3], [True]])
    assert [line.strip() for line in text.splitlines()[2:]] == ["0.3", "1234567.891", "3", "True"]


def test_numbers_are_right_aligned_only_where_all_are() -> None:
    shown = table_html(["n", "mixed"], [[1, 1], [2, "two"]])
    assert re.findall(r"text-align:(\w+)", shown) == ["right", "left"] * 3


def test_too_many_columns_are_counted() -> None:
    names = [f"c{i}" for i in range(45)]
    assert "… 15 more columns" in table_text(names, [list(range(45))])


def test_ragged_rows_do_not_matter() -> None:
    assert table_text(["a", "b"], [[1], [1, 2, 3]]).splitlines()[2:] == ["1", "1  2"]
