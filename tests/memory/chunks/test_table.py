"""A table is what it is about: columns, kinds, how many rows, the first ones."""

import pytest

from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.table import chunks


def test_a_table_is_told_by_its_columns_and_first_rows() -> None:
    rows = "".join(f"{n},North,{n}.5,2024-01-0{n % 9 + 1},10:30,true,\n" for n in range(2_000))
    assert list(chunks("id,region,amount,day,at,paid,note\n" + rows)) == [
        Chunk(
            "id, region, amount, day, at, paid, note",
            "2000 rows of 7 columns\n\n"
            "id: whole number\nregion: text\namount: number\nday: date\nat: time\npaid: true or false\nnote: empty\n\n"
            + "\n".join(f"{n} | North | {n}.5 | 2024-01-0{n + 1} | 10:30 | true | " for n in range(5)).rstrip(),
            1,
            2_001,
        )
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen(delimiter: str) -> None:
    assert next(chunks(f"a{delimiter}b\n1{delimiter}2\n")).title == "a, b"


def test_tabs_go_before_commas() -> None:
    assert next(chunks("Last, first, middle\tAge\na, b, c\t1")).title == "Last, first, middle, Age"


def test_a_table_without_names_is_numbered() -> None:
    told = next(chunks("1,x\n2,y\n"))
    assert told.title == "column 1, column 2"
    assert told.text.startswith("2 rows of 2 columns")


def test_lines_within_quotes_are_one_value() -> None:
    told = next(chunks('a,b\n"one\ntwo, three",2\n\n'))
    assert told.text.startswith("1 rows of 2 columns")
    assert "one two, three | 2" in told.text
    assert told.last == 3


@pytest.mark.parametrize("text", ['a,b\n"' + "x,1\n" * 50_000, "a,b\n" + "x" * 200_000 + ",1\n"])
def test_a_value_longer_than_any_should_be_does_no_harm(text: str) -> None:
    found = list(chunks(text))
    assert found[0].title == "a, b"
    assert sum(len(one.text) for one in found) < 1_000


def test_rows_may_be_longer_and_shorter_than_the_first() -> None:
    assert "b: whole number" in next(chunks("a,b\n1\n1,2,3\n")).text


def test_of_very_many_columns_the_first_are_told() -> None:
    found = list(chunks(",".join(f"c{n}" for n in range(50_000)) + "\n" + "1," * 50_000))
    assert found[0].text.startswith("1 rows of 50000 columns")
    assert len(found[0].title) == 200
    assert 5 < len(found) < 30
