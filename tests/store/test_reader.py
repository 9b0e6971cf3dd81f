"""Reading by SQL: whatever writes, escapes or looks around is refused; the rest is a DataFrame."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from tests.support.workspaces import prepare

from assent.core.errors import QueryError
from assent.core.events import Event, Kind
from assent.store import database, reader
from assent.store.journal import Journal

WRITES = [
    "INSERT INTO events (seq) VALUES (1)",
    "UPDATE events SET body = '{}'",
    "DELETE FROM events",
    "MERGE INTO events USING (SELECT 1 AS seq) AS new ON events.seq = new.seq WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM events RETURNING *) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM events",
    "EXPLAIN ANALYZE INSERT INTO events (seq) VALUES (1)",
    "EXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1",
    "EXPLAIN ANALYZE SET threads = 1",
    "EXPLAIN ANALYZE CHECKPOINT",
    "EXPLAIN /* reading */ ANALYZE CALL pragma_version()",
    "CREATE TABLE mine (a INT)",
    "CREATE TEMP TABLE mine (a INT)",
    "CREATE MACRO mine() AS 1",
    "DROP TABLE events",
    "DROP TRIGGER events_refuse_delete ON events",
    "ALTER TABLE events ADD COLUMN mine INT",
    "TRUNCATE events",
    "PRAGMA threads = 8",
    "SET threads = 8",
    "RESET threads",
    "SET lock_configuration = false",
    "SET enable_external_access = true",
    "BEGIN",
    "COMMIT",
    "CHECKPOINT",
    "VACUUM",
    "CALL enable_logging()",
    "PREPARE mine AS DELETE FROM events",
    "EXECUTE mine",
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM events",
    "COMMIT; DELETE FROM events",
    "SELECT * FROM query('DELETE FROM events')",
    "FROM enable_logging()",
    "INSTALL httpfs",
    "LOAD httpfs",
    "USE memory",
    "",
    "-- only a comment",
    "SELECT",
]
ESCAPES = [
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY events FROM '{folder}/in.csv'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/out.duckdb' AS out",
    "ATTACH ':memory:' AS out",
    "SELECT * FROM read_csv('{folder}/in.csv')",
    "SELECT * FROM '{folder}/in.csv'",
    "SELECT * FROM sniff_csv('{folder}/in.csv')",
    "SELECT * FROM read_text('{folder}/in.csv')",
    "SELECT * FROM read_blob('{folder}/in.csv')",
    "SELECT * FROM read_json_auto('{folder}/in.csv')",
    "SELECT * FROM parquet_scan('{folder}/in.parquet')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_csv('https://127.0.0.1:1/in.csv')",
    "SELECT * FROM 's3://bucket/in.parquet'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'",
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_secrets()",
    "FROM enable_logging(storage = 'file', storage_path = '{folder}/out')",
]

hidden_at_module_level = pd.DataFrame({"a": [1]})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    journal = Journal(prepare(tmp_path_factory.mktemp("workspace")))
    journal.append([Event(kind=Kind.RUN_STARTED, run="r", agent="ada", body={"prompt": "p"})]).result()
    yield journal
    journal.close()


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = database.memory()
    yield connection
    connection.close()


def select(source: Any, query: str, **frames: pd.DataFrame) -> pd.DataFrame:
    of_journal = isinstance(source, Journal)
    frame = source.frame(query, frames) if of_journal else reader.select(source.cursor(), query, frames)
    assert isinstance(frame, pd.DataFrame)
    return frame


@pytest.mark.parametrize("query", WRITES)
def test_what_is_not_one_reading_statement_is_refused(
    workspace: Journal, memory: duckdb.DuckDBPyConnection, query: str
) -> None:
    for source in (workspace, memory):
        with pytest.raises(QueryError):
            select(source, query)
    assert workspace.select("SELECT count(*) FROM events") == [(1,)]
    assert workspace.select("SELECT current_setting('threads')") == [(2,)]


@pytest.mark.parametrize("query", ESCAPES)
def test_nothing_reaches_files_network_or_environment(
    workspace: Journal, memory: duckdb.DuckDBPyConnection, tmp_path: Path, query: str
) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n")
    for source in (workspace, memory):
        with pytest.raises(QueryError):
            select(source, query.format(folder=tmp_path))
    assert os.listdir(tmp_path) == ["in.csv"]


@pytest.mark.parametrize("name", ["hidden_in_the_caller", "hidden_at_module_level", "frames", "cursor", "os"])
def test_variables_of_python_are_not_tables(workspace: Journal, memory: duckdb.DuckDBPyConnection, name: str) -> None:
    hidden_in_the_caller = pd.DataFrame({"a": [1]})
    assert len(hidden_in_the_caller) == 1
    for source in (workspace, memory):
        with pytest.raises(QueryError, match=f"Table with name {name} does not exist"):
            select(source, f"SELECT * FROM {name}")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("DELETE FROM events", "This is a DELETE statement and was not run. Only reading is allowed"),
        ("SELECT 1; SELECT 2", "These are 2 statements"),
        ("", "There is no SQL statement here"),
        ("EXPLAIN ANALYZE DELETE FROM events", "Only reading is allowed here"),
        ("SELEC 1", "Parser Error: syntax error"),
        ("SELECT nothing FROM events", 'Referenced column "nothing" not found'),
        ("SELECT '\ud800' FROM nowhere", "nowhere does not exist"),
        ("SELECT ?", "Values were not provided"),
    ],
)
def test_the_message_says_what_is_wrong(workspace: Journal, query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        select(workspace, query)


@pytest.mark.parametrize("query", ["SELECT 1", "VALUES (1)", "FROM range(1)", "DESCRIBE events", "SUMMARIZE events"])
@pytest.mark.parametrize(
    "around", ["{}", "EXPLAIN {}", "-- why\nEXPLAIN /* it */ ANALYZE {}", "-- why\n{};", "  {} ;  "]
)
def test_what_reads_gives_a_frame(workspace: Journal, query: str, around: str) -> None:
    if not ("EXPLAIN" in around and query.startswith(("DESC", "SUMM"))):
        assert len(select(workspace, around.format(query))) > 0


def test_views_join_with_frames_in_any_case(workspace: Journal) -> None:
    people = pd.DataFrame({"agent": ["ada"], "team": ["north"]})
    frame = select(workspace, "SELECT team, status FROM runs JOIN People USING (agent)", people=people)
    assert frame.to_dict("records") == [{"team": "north", "status": "running"}]


def test_of_two_frames_that_differ_in_case_the_one_as_written_is_meant(memory: duckdb.DuckDBPyConnection) -> None:
    lower, upper = pd.DataFrame({"a": ["lower"]}), pd.DataFrame({"a": ["upper"]})
    assert select(memory, "SELECT a FROM df", df=lower, DF=upper)["a"].item() == "lower"
    assert select(memory, "SELECT a FROM DF", df=lower, DF=upper)["a"].item() == "upper"


def test_a_frame_is_there_for_its_query_only(memory: duckdb.DuckDBPyConnection) -> None:
    assert len(select(memory, "FROM sales", sales=pd.DataFrame({"a": [1]}))) == 1
    with pytest.raises(QueryError, match="sales does not exist"):
        select(memory, "FROM sales")


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame(), pd.DataFrame({"a": [1j]}), pd.DataFrame({"a": pd.period_range("2020", periods=1)})],
    ids=["no columns", "complex", "period"],
)
def test_a_frame_that_sql_cannot_read_is_an_error_of_the_query(
    memory: duckdb.DuckDBPyConnection, frame: pd.DataFrame
) -> None:
    with pytest.raises(QueryError):
        select(memory, "FROM odd", odd=frame)


def test_a_result_of_several_chunks_is_whole(memory: duckdb.DuckDBPyConnection) -> None:
    frame = select(memory, "SELECT i, i % 7 = 0 AS seventh FROM range(250000) AS t(i)")
    assert frame["i"].tolist() == list(range(250_000))
    assert frame.index[-1] == 249_999


def test_a_result_without_end_is_stopped_before_it_fills_the_memory(
    memory: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_CELLS", 1_000_000)
    with pytest.raises(QueryError, match=r"Aggregate it, or add a LIMIT"):
        select(memory, "SELECT * FROM range(1000000000000)")


def test_many_threads_read_at_once(memory: duckdb.DuckDBPyConnection) -> None:
    sums: list[int] = []

    def read(number: int) -> None:
        frame = pd.DataFrame({"a": range(number)})
        sums.append(int(reader.select(memory.cursor(), "SELECT sum(a) AS s FROM t", {"t": frame})["s"].item()))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(2, 22)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sums) == [sum(range(number)) for number in range(2, 22)]


def test_a_result_without_rows_keeps_its_columns(memory: duckdb.DuckDBPyConnection) -> None:
    frame = select(memory, "SELECT 1 AS a, 'x' AS b WHERE false")
    assert (list(frame.columns), len(frame)) == (["a", "b"], 0)


def test_a_sum_of_integers_is_an_integer(memory: duckdb.DuckDBPyConnection) -> None:
    frame = select(memory, "SELECT sum(i) AS a, sum(i) FILTER (i > 9) AS none, sum(i) AS a FROM range(10) AS t(i)")
    assert [str(kind) for kind in frame.dtypes] == ["int64", "float64", "int64"]
    assert frame.iloc[0, 0] == 45
    partly = select(
        memory, "SELECT i % 2 AS odd, sum(i) FILTER (i % 2 = 1) AS s FROM range(10) AS t(i) GROUP BY 1 ORDER BY 1"
    )
    assert partly["s"].tolist() == [pd.NA, 25]
    assert select(memory, "SELECT sum(9e18::BIGINT) AS s FROM range(10)")["s"].tolist() == [9e19]
