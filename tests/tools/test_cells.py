"""The values of a column are found as previews, results and printed tables write them."""

import json

import pandas as pd
import pytest

from assent.tools.cells import cells, columns_in
from assent.tools.preview import preview
from assent.tools.sql import table_text

FRAME = pd.DataFrame(
    {
        "name": ["Anna", 'Ben "B" O', "C" * 50 + " end", "line\nbreak"],
        "pay": [52_000.5, 61_000.0, 123.456, 7.0],
        "sex": ["F", "M", "F", "M"],
        "born": pd.to_datetime(["1990-01-02", "1985-05-06", "2001-11-30", "1970-01-01"]),
    }
)


def masked(text: str, *columns: str) -> str:
    for begin, end, rule in reversed(cells(text, [FRAME], lambda name: name if name in columns else "")):
        text = f"{text[:begin]}<{rule}>{text[end:]}"
    return text


@pytest.mark.parametrize("write", [table_text, preview, lambda frame: frame.to_string(), lambda frame: repr(frame)])
def test_no_value_of_a_masked_column_is_left(write: object) -> None:
    text = masked(write(FRAME), "name", "pay", "sex", "born")  # type: ignore[operator]  # a way to write a frame
    for value in ("Anna", "Ben", "CCC", "52000", "61000", "123.4", "1990", "2001", " F", "M "):
        assert value not in text


@pytest.mark.parametrize(
    "text",
    [
        f"{52_000.5:,.2f} EUR", f"lost {-5_250_000:,}", "report_Özil_1.pdf",
        f"pay: {52_000.5:,.0f}, then", f"[{61_000.0:,}]", f'"{1_234_567.89:,.1f}"',
        json.dumps(["Jürgen Groß", "Özil", 'Zoë "Z" /Y']), pd.Series(["Jürgen Groß", "Özil", 'Zoë "Z" /Y']).to_json(),
        json.dumps({"of": 'Ben "B" O'}), pd.DataFrame({"x": ["Smith & Zoë <Z>"]}).to_html(),
        str([born.date() for born in FRAME["born"]]), str([FRAME["born"][0].to_pydatetime()]),
        FRAME["born"].to_json(date_format="iso"), FRAME["born"][0].isoformat(),
        str(FRAME["born"].dt.strftime("%d.%m.%Y").tolist()), str(FRAME["born"].dt.strftime("%m/%d/%Y").tolist()),
    ],
)  # fmt: skip
def test_nor_as_people_libraries_and_json_write_it(text: str) -> None:
    more = pd.DataFrame(
        {"name": ["Jürgen Groß", "Özil", 'Zoë "Z" /Y', "Smith & Zoë <Z>"], "pay": [1_234_567.89, -5_250_000, 2, 3]}
    )
    for begin, end, _ in reversed(cells(text, [FRAME, more], str)):
        text = f"{text[:begin]}~{text[end:]}"
    left = ("52", "5,2", "61", "234", "rgen", "zil", "Zo", "Ben", "1990", "1985", "2001", "1970")
    assert "~" in text
    assert not [value for value in left if value in text]


def test_numbers_with_commas_between_them_stay_two_cells() -> None:
    assert masked("7,123", "pay") == "<pay>,<pay>"


def test_other_columns_stay() -> None:
    text = masked(table_text(FRAME), "name")
    assert "52000.5,F,1990-01-02" in text
    assert text.startswith("name,pay,sex,born\n<name>,")


def test_a_short_value_is_one_only_where_it_stands_like_a_cell() -> None:
    assert masked("Anna,F\nThe letter M is none", "sex") == "Anna,<sex>\nThe letter M is none"


def test_a_longer_word_is_another_one() -> None:
    assert masked("Anna, Annabel, Joanna", "name") == "<name>, Annabel, Joanna"
    assert masked(f"{'C' * 50} ends", "name") == "<name>s"  # one so long is no beginning of another


def test_a_value_behind_a_line_break_of_json_is_found() -> None:
    assert masked(r"{'text': 'pay\nAnna\tAnna\\nAnna'}", "name") == r"{'text': 'pay\n<name>\t<name>\\n<name>'}"


@pytest.mark.parametrize(
    "table", [FRAME["name"], FRAME["name"].rename("who").to_frame("name"), FRAME.groupby("name").pay.sum(),
              FRAME.set_index("name").T, FRAME.set_index("name").T.rename_axis(columns="name")],
)  # fmt: skip
def test_a_series_and_all_labels_count(table: object) -> None:
    assert cells("Anna 1", [table], lambda name: name if name == "name" else "") == ((0, 4, "name"),)


def test_the_names_of_columns_in_a_text_are_told() -> None:
    assert columns_in("the names, born 1990\npay", [FRAME, FRAME.groupby("sex").pay.sum()]) == ("pay", "born")


def test_labels_of_rows_count_as_a_column() -> None:
    grouped = FRAME.set_index("name")
    found = cells("Anna 1", [grouped], lambda name: name if name == "name" else "")
    assert found == ((0, 4, "name"),)


def test_without_a_masked_column_nothing_is_looked_for() -> None:
    assert cells("Anna", [FRAME], lambda name: "") == ()
