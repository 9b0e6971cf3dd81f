"""What stands beside the journal is carried into a copy row by row, large or many, and brought up to date by keys."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assent.store.carried import carry, catch_up
from assent.store.database import connect
from assent.store.schema import BESIDE, ITEMS, MIGRATIONS, SEGMENTS, TEXTS

Connection = duckdb.DuckDBPyConnection


@pytest.fixture
def present(tmp_path: Path) -> Iterator[Connection]:
    with connect(tmp_path / "present.duckdb") as opened:
        opened.execute(f"""INSERT INTO {TEXTS} 
            SELECT range, 'default', 'd'::BLOB, '', 'text ' || range FROM range(12_000)""").fetchall()
        opened.execute(f"""INSERT INTO {ITEMS} (id, number, time, tags, dated)
            SELECT 'i' || range, range, TIMESTAMP '2026-01-02 03:04:05.678901', ['a', 'ü'], NULL FROM range(12_000)
            """).fetchall()
        opened.execute(f"""INSERT INTO {SEGMENTS}
            SELECT 's' || range // 7, 'default', 'files', 1, range % 7, repeat('ab', 16_000)::BLOB
            FROM range(21)""").fetchall()
        yield opened


def rows(connection: Connection) -> list[list[tuple[object, ...]]]:
    return [connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in BESIDE]


def test_every_table_beside_the_journal_is_carried() -> None:
    made = {word for version in MIGRATIONS.values() for statement in version for word in statement.split()}
    assert {word for word in made if word.startswith("memory_")} == set(BESIDE)


def test_all_rows_but_the_deleted_ones_are_carried(present: Connection, tmp_path: Path) -> None:
    present.execute(f"DELETE FROM {TEXTS} WHERE number % 3 = 0 OR number < 6_000").fetchall()
    present.execute("CHECKPOINT")
    expected = rows(present)
    present.close()
    connect(tmp_path / "copy.duckdb").close()
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as copy:
        copy.execute(f"ATTACH '{tmp_path / 'present.duckdb'}' AS former (READ_ONLY)")
        carry(copy)
        assert rows(copy) == expected


@pytest.mark.parametrize("begun", [False, True])
def test_a_copy_is_brought_up_to_date_however_far_that_had_come_before(
    present: Connection, tmp_path: Path, begun: bool
) -> None:
    with connect(tmp_path / "copy.duckdb") as copy:
        catch_up(present, copy)
        assert rows(copy) == rows(present)
        present.execute(f"DELETE FROM {TEXTS} WHERE number < 100").fetchall()
        present.execute(f"DELETE FROM {ITEMS} WHERE id = 'i7'").fetchall()
        present.execute(f"UPDATE {SEGMENTS} SET name = 's9' WHERE name = 's1'").fetchall()
        if begun:
            copy.execute(f"DELETE FROM {TEXTS} WHERE number < 50").fetchall()
            copy.execute(f"DELETE FROM {SEGMENTS} WHERE name = 's1'").fetchall()
        catch_up(present, copy)
        assert rows(copy) == rows(present)
