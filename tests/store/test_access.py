"""A session's part of the journal: what its SQL gives is what a workspace with its rows alone would give."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.core.errors import ConfigError, QueryError
from assent.core.events import Event, Kind
from assent.store import database, fence, reader
from assent.store.access import EVERYONE, Access, confine
from assent.store.schema import FENCED, SCOPED, TABLE, VIEWS

ANA = Access("north", "ana")
SECRET = "SECRET"
# Ana's decisions are numbers, everybody else's are not: to cast one that is not hers is an error.
FILL = """
    INSERT INTO main.events BY NAME
    SELECT i + 1 AS seq, TIMESTAMP '2026-01-01' + i * INTERVAL 1 MINUTE AS time, 'r' || i // 10 AS run,
        CASE i % 10 WHEN 0 THEN 'run_started' WHEN 1 THEN 'call_decided' WHEN 2 THEN 'approval_decided'
            WHEN 3 THEN 'call_started' WHEN 4 THEN 'call_finished' WHEN 9 THEN 'run_finished'
            ELSE 'model_answered' END AS kind,
        CASE WHEN i // 10 % 2 = 0 THEN 'north' ELSE 'south' END AS tenant,
        CASE WHEN i // 10 % 3 = 0 THEN 'ana' ELSE 'bo' END AS "user",
        'a' || i // 10 % 5 AS agent, 'n' || i // 10 % 4 AS notebook, 'mock:one' AS model,
        CASE WHEN i % 10 IN (1, 2, 3, 4) THEN 'r' || i // 10 || '.1' END AS call,
        CASE WHEN i // 10 % 6 = 0 THEN '' || i % 7 ELSE 'SECRET' || i END AS decision,
        CASE WHEN i % 10 IN (5, 6, 7, 8) THEN 0.5 END AS cost,
        json_object('prompt', CASE WHEN i // 10 % 6 = 0 THEN 'mine' ELSE 'SECRET' || i END, 'saved', 1) AS body,
        'h' || i AS hash
    FROM range(2400) AS t(i)"""


@dataclass(frozen=True)
class Workspaces:
    """One that several people share, and one that holds only what Ana has in it."""

    shared: duckdb.DuckDBPyConnection
    own: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspaces]:
    paths = [tmp_path_factory.mktemp(name) / database.FILE for name in ("shared", "own")]
    opened = Workspaces(*[database.connect(path) for path in paths])
    fill(opened.shared)
    fill(opened.own, "WHERE i // 10 % 6 = 0")
    yield opened
    opened.shared.close()
    opened.own.close()


def fill(connection: duckdb.DuckDBPyConnection, where: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"{FILL} {where}")
        cursor.execute("CHECKPOINT")


def read(connection: duckdb.DuckDBPyConnection, query: str, access: Access = ANA, **frames: Any) -> pd.DataFrame:
    frame = reader.select(connection.cursor(), query, frames, access=access)
    assert isinstance(frame, pd.DataFrame)
    return frame


def rows(frame: pd.DataFrame) -> list[str]:
    return sorted([repr(row) for row in frame.itertuples(index=False, name=None)])


def same(workspaces: Workspaces, query: str, **frames: Any) -> int:
    """How many rows a query gives: the same ones in the shared workspace as in Ana's own."""
    shared, own = read(workspaces.shared, query, **frames), read(workspaces.own, query, EVERYONE, **frames)
    assert list(shared.columns) == list(own.columns)
    assert rows(shared) == rows(own)
    return len(shared)


READS = [
    "SELECT count(*) FROM events",
    'SELECT DISTINCT tenant, "user" FROM "EVENTS"',
    "FROM events",
    "TABLE runs",
    "FROM runs SELECT run, status",
    "SELECT (SELECT count(*) FROM events) AS n",
    "WITH mine AS (SELECT * FROM events) SELECT count(*) FROM mine",
    "WITH events AS (SELECT * FROM runs) SELECT * FROM events",
    "WITH main AS (SELECT 1 AS events) SELECT main.events FROM main",
    "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 3) SELECT n, count(*) FROM up, runs "
    "GROUP BY n",
    "SELECT e.seq FROM events e JOIN runs r USING (run) WHERE r.status = 'finished'",
    "SELECT a.seq, b.seq FROM (FROM events LIMIT 5) a POSITIONAL JOIN (FROM events LIMIT 5) b",
    "SELECT r.run, x.n FROM runs r, LATERAL (SELECT count(*) AS n FROM events e WHERE e.run = r.run) x",
    "SELECT run FROM events EXCEPT SELECT run FROM runs",
    "SELECT run FROM runs UNION ALL BY NAME SELECT run FROM events",
    "SELECT * FROM events ASOF JOIN runs ON events.time >= runs.started",
    "SELECT count(*) FROM runs WHERE EXISTS (SELECT 1 FROM events WHERE run = runs.run AND kind = 'run_started')",
    "SELECT seq FROM events WHERE seq IN (SELECT max(seq) FROM events GROUP BY run)",
    "SELECT seq, lag(seq) OVER (ORDER BY seq) AS before FROM events QUALIFY row_number() OVER (PARTITION BY run) = 1",
    "SELECT kind, run, count(*) AS n FROM events GROUP BY GROUPING SETS ((kind), (run), ())",
    "PIVOT (SELECT run, kind FROM events) ON kind IN ('run_started', 'run_finished') USING count(*)",
    "UNPIVOT (SELECT run, steps, calls FROM runs) ON steps, calls",
    "SELECT * FROM (SELECT run, kind FROM events) PIVOT (count(*) FOR kind IN ('run_started'))",
    "DESCRIBE runs",
    "DESCRIBE SELECT * FROM events",
    "SUMMARIZE SELECT seq, run, tenant FROM events",
    "SELECT count(*) FROM events USING SAMPLE 100 PERCENT (bernoulli)",
    "SELECT COLUMNS('^(seq|run)$') FROM events",
    "SELECT * EXCLUDE (body, hash) REPLACE (seq + 1 AS seq) FROM events ORDER BY ALL LIMIT 3",
    "SELECT n, kind FROM unnest([1, 2]) AS t(n), events WHERE seq = n",
    "SELECT key, count(*) AS n FROM events, json_each(body) GROUP BY key",
    "SELECT CAST(decision AS INT) AS n FROM events",
    "SELECT sum(CAST(decision AS INT)) AS s FROM events WHERE CAST(decision AS INT) > 2",
    "SELECT prompt FROM runs WHERE CASE WHEN prompt <> 'mine' THEN error(prompt) ELSE true END",
    "SELECT seq FROM events WHERE CASE WHEN \"user\" <> 'ana' THEN error(decision) IS NULL ELSE seq < 50 END",
    "SELECT seq FROM events WHERE like_escape(decision, '%', CASE WHEN length(decision) > 1 THEN 'ab' ELSE '' END)",
    *[f"SELECT * FROM {name}" for name in (TABLE, *VIEWS)],
]

REFUSED = [
    "SELECT * FROM main.events",
    'SELECT * FROM "main"."events"',
    "SELECT * FROM MAIN.Events",
    "SELECT * FROM assent.events",
    "SELECT * FROM assent.main.events",
    "SELECT * FROM main.runs",
    f"SELECT * FROM {SCOPED}.events",
    f"SELECT * FROM {FENCED}.events",
    f"SELECT * FROM assent.{SCOPED}.runs",
    "SELECT * FROM temp.events",
    "FROM main.events SELECT count(*)",
    "TABLE main.events",
    "WITH events AS (FROM main.events) FROM events",
    "WITH mine AS (WITH events AS (FROM main.events) FROM events) FROM mine",
    "SELECT (SELECT max(body) FROM main.events)",
    "SELECT 1 ORDER BY (SELECT count(*) FROM main.events)",
    "SELECT 1 LIMIT (SELECT count(*) FROM main.events)",
    "SELECT [x FOR x IN (SELECT list(body) FROM main.events)]",
    "SELECT CASE WHEN (SELECT count(*) FROM main.events) > 5 THEN 1 END",
    "SELECT * FROM events JOIN main.events AS other USING (seq)",
    "SELECT * FROM events POSITIONAL JOIN main.events",
    "SELECT * FROM events, LATERAL (SELECT * FROM main.events)",
    "SELECT * FROM events WHERE seq IN (SELECT seq FROM main.events)",
    "SELECT seq FROM events UNION SELECT seq FROM main.events",
    "WITH RECURSIVE r AS (SELECT 1 AS seq UNION SELECT seq FROM main.events) FROM r",
    "SELECT sum(seq) OVER (PARTITION BY (SELECT count(*) FROM main.events)) FROM events",
    "PIVOT main.events ON kind IN ('run_started') USING count(*)",
    "PIVOT events ON kind USING count(*)",
    "PIVOT events ON kind IN (SELECT kind FROM main.events) USING count(*)",
    "UNPIVOT main.events ON seq",
    "DESCRIBE main.events",
    "SUMMARIZE main.events",
    "SUMMARIZE SELECT * FROM main.events",
    "SELECT * FROM (SUMMARIZE main.events)",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SHOW TABLES FROM main",
    "SHOW main.events",
    "SHOW DATABASES",
    "EXPLAIN SELECT * FROM events",
    "EXPLAIN ANALYZE SELECT * FROM events",
    "EXPLAIN SELECT * FROM main.events",
    "SELECT * FROM query('FROM main.events')",
    "SELECT * FROM query('FROM events')",
    "SELECT * FROM query_table('events')",
    "SELECT * FROM query_table(['main.events'])",
    "SELECT * FROM main.query_table('events')",
    "SELECT * FROM histogram(events, decision)",
    "SELECT * FROM histogram_values(events, decision)",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM main.events'))",
    "SELECT json_serialize_plan('FROM main.events')",
    "SELECT stats(decision) FROM events LIMIT 1",
    "SELECT STATS(decision) FROM events LIMIT 1",
    "SELECT decision.stats() FROM events LIMIT 1",
    "SELECT vector_type(tenant) FROM events",
    "SELECT * FROM seq_scan('events')",
    "SELECT * FROM summary((FROM events))",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_table_sample('events')",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM duckdb_variables()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM pragma_storage_info('events')",
    "SELECT * FROM pragma_table_info('events')",
    "SELECT * FROM pragma_show('events')",
    "SELECT * FROM pragma_database_size()",
    "SELECT * FROM pandas_scan(0)",
    "SELECT * FROM arrow_scan(0, 0, 0)",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pg_class",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM refusals",
    "SELECT * FROM schema_version",
    "WITH a AS (WITH sqlite_master AS (SELECT 1) SELECT 1) FROM sqlite_master",
    "WITH schema_version AS (SELECT 1) FROM schema_version",
    "SELECT * FROM nothing",
    "SELECT * FROM 'events'.main",
    "SELECT * FROM event",
    "SELECT rowid FROM events",
    "FROM events AT (VERSION => 1)",
    "WITH gone AS (DELETE FROM events RETURNING *) FROM gone",
    "WITH gone AS (DELETE FROM main.events RETURNING *) FROM gone",
    "SET VARIABLE scoped_user = '*'",
    "RESET VARIABLE scoped_user",
    "USE main",
    "ATTACH 'assent.duckdb' AS other",
    "PRAGMA database_size",
    "CALL query('FROM main.events')",
    "PREPARE mine AS FROM main.events",
    "CREATE TEMP VIEW mine AS FROM main.events",
    "CREATE TEMP MACRO mine() AS TABLE FROM main.events",
    "SELECT 1; SELECT * FROM main.events",
]


@pytest.mark.parametrize("query", READS)
def test_what_is_read_is_what_ones_own_workspace_would_give(workspaces: Workspaces, query: str) -> None:
    same(workspaces, query)


@pytest.mark.parametrize("query", REFUSED)
def test_no_door_leads_past_ones_part(workspaces: Workspaces, query: str) -> None:
    with pytest.raises(QueryError) as caught:
        read(workspaces.shared, query)
    assert SECRET not in str(caught.value)
    assert "south" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM main.events", "main.events: name a table without its schema or database"),
        ("SELECT * FROM event", "Table with name event does not exist. There are approvals, audit, "),
        ("SHOW TABLES", "The tables are approvals, audit, "),
        ("EXPLAIN FROM events", "A plan tells how large the whole workspace is. An administrator's session"),
        ("SELECT * FROM query('FROM events')", "query can read more than this session may see"),
        ("SELECT nothing FROM events", 'Referenced column "nothing" not found'),
    ],
)
def test_a_refusal_says_what_to_do(workspaces: Workspaces, query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        read(workspaces.shared, query)


def test_frames_are_read_beside_the_views(workspaces: Workspaces) -> None:
    teams = pd.DataFrame({"agent": ["a0", "a1"], "team": ["x", "y"]})
    assert same(workspaces, "SELECT team, count(*) FROM runs JOIN Teams USING (agent) GROUP BY team", teams=teams) == 2
    assert read(workspaces.shared, "EXPLAIN FROM teams", teams=teams).size > 0
    assert same(workspaces, "DESCRIBE teams", teams=teams) == 2


@pytest.mark.parametrize("name", ["events", "runs", "sqlite_master"])
def test_a_frame_that_is_called_like_a_table_stands_before_it(workspaces: Workspaces, name: str) -> None:
    frame = pd.DataFrame({"a": [7]})
    assert read(workspaces.shared, f"FROM {name}", **{name: frame})["a"].item() == 7
    with pytest.raises(QueryError):
        read(workspaces.shared, f"FROM main.{name}", **{name: frame})


def test_a_frame_called_events_does_not_widen_the_views(workspaces: Workspaces) -> None:
    stray = pd.DataFrame({"seq": [1], "run": ["stray"]})
    for query in ("SELECT run FROM events, runs", "SELECT run FROM runs WHERE run NOT IN (SELECT run FROM events)"):
        try:
            found = read(workspaces.shared, query, events=stray)
        except QueryError:
            continue
        assert set(found["run"]) <= {"stray"}


@pytest.mark.parametrize(
    ("access", "count"),
    [
        (EVERYONE, 2400),
        (Access("north"), 1200),
        (Access(user="ana"), 800),
        (Access("north", "ana"), 400),
        (Access("north", "ana", "a0"), 80),
        (Access("north", "ana", None, "n0"), 200),
        (Access(agent="a1", notebook="n2"), 120),
        (Access("nowhere"), 0),
        (Access("' OR true --"), 0),
        (Access(""), 0),
    ],
)
def test_each_scope_narrows(workspaces: Workspaces, access: Access, count: int) -> None:
    assert read(workspaces.shared, "SELECT count(*) AS n FROM events", access)["n"].item() == count
    cursor = workspaces.shared.cursor()
    confine(cursor, access)
    assert cursor.execute("SELECT count(*) FROM events").fetchall() == [(count,)]
    runs = cursor.execute("SELECT count(*) FROM runs").fetchall()
    cursor.close()
    assert runs == [(count // 10,)]


@pytest.mark.parametrize("schema", [SCOPED, FENCED])
def test_who_is_not_said_to_be_anybody_sees_nothing(workspaces: Workspaces, schema: str) -> None:
    cursor = workspaces.shared.cursor()
    for name in (TABLE, *VIEWS):
        assert cursor.execute(f'SELECT * FROM {schema}."{name}"').fetchall() == []
    cursor.close()


@pytest.mark.parametrize("name", ["tenant", "user", "agent", "notebook"])
def test_nobody_can_be_called_everybody(name: str) -> None:
    with pytest.raises(ConfigError, match=f"No {name} can be called"):
        Access(**{name: "*"})


def test_an_event_is_covered_as_its_row_is(workspaces: Workspaces) -> None:
    mine = Event(kind=Kind.RUN_STARTED, run="r", tenant="north", user="ana", agent="a", notebook="n")
    assert ANA.covers(mine)
    assert EVERYONE.covers(mine)
    for access in (Access("south"), Access("north", "bo"), Access(agent="b"), Access(notebook="m")):
        assert not access.covers(mine)
        assert not access.allows(mine)
    nowhere = Event(kind=Kind.AGENT_DEFINED, tenant="north", user="ana")
    assert not Access(notebook="n").covers(nowhere)
    assert Access(notebook="n").allows(nowhere)


@pytest.mark.parametrize("query", ["SELECT count(*) FROM main.events", "SELECT * FROM duckdb_tables()"])
def test_a_query_of_our_own_is_looked_at_too(workspaces: Workspaces, query: str) -> None:
    cursor = workspaces.shared.cursor()
    for _ in range(2):
        with pytest.raises(QueryError):
            fence.approve(cursor, query)
    fence.approve(cursor, "SELECT count(*) FROM runs WHERE run = ?")
    cursor.close()


def test_names_of_the_system_are_known(workspaces: Workspaces) -> None:
    """A newer DuckDB with other tables or telling functions of its own needs a look at `store.fence`."""
    cursor = workspaces.shared.cursor()
    names = cursor.execute(
        "SELECT view_name FROM duckdb_views() WHERE internal AND schema_name <> 'information_schema' "
        "UNION SELECT table_name FROM duckdb_tables() WHERE table_name <> 'events'"
    ).fetchall()
    assert len(names) > 20
    assert [name for (name,) in names if not fence.SYSTEM.match(name)] == []
    volatile = cursor.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE function_type = 'scalar' AND stability = 'VOLATILE'"
    ).fetchall()
    cursor.close()
    assert {name for (name,) in volatile} == {
        "current_connection_id", "current_query", "current_query_id", "current_transaction_id", "currval", "error",
        "gen_random_uuid", "nextval", "random", "setseed", "setval", "sleep_ms", "stats", "uuid", "uuidv4", "uuidv7",
        "vector_type", "write_log",
    }  # fmt: skip


# Statements of many shapes, whose conditions are errors on rows that are not Ana's.

SOURCES = st.sampled_from(
    [
        "events",
        '"Events"',
        "(FROM events)",
        "(SELECT * FROM events WHERE seq > 3)",
        "w",
        "(FROM w)",
        "unioned",
        "joined",
    ]
)
WITH = (
    "WITH w AS (SELECT * FROM events), unioned AS (FROM events UNION ALL FROM w), "
    "joined AS (SELECT events.* FROM events JOIN runs USING (run)) "
)
CONDITIONS = st.sampled_from(
    [
        "CAST(decision AS INT) >= 2",
        "CAST(decision AS INT) IN (1, 2, 3)",
        "decision = 3",
        "CASE WHEN starts_with(decision, 'S') THEN error(decision) ELSE true END",
        "CASE WHEN \"user\" <> 'ana' THEN error(decision) IS NULL ELSE true END",
        "CASE tenant WHEN 'south' THEN error(decision) ELSE seq % 2 = 0 END",
        "CAST(body ->> 'saved' AS INT) = 1",
        "CASE body ->> 'prompt' WHEN 'mine' THEN true ELSE error(body) END",
        "sqrt(CASE WHEN length(decision) > 1 THEN -1 ELSE 4 END) = 2",
        "seq < 900",
        "kind = 'model_answered'",
        "tenant = 'south'",
        "\"user\" IN ('bo', 'ana')",
        "run IN (SELECT run FROM runs WHERE CAST(steps AS INT) > 0)",
        "EXISTS (SELECT 1 FROM events AS other WHERE other.run = s.run AND CAST(other.decision AS INT) > 3)",
    ]
)
GIVES = st.sampled_from(
    [
        "SELECT seq, decision FROM {0} AS s {1}",
        "SELECT count(*) AS n, min(CAST(decision AS INT)) AS least, max(body) AS last FROM {0} AS s {1}",
        "SELECT run, count(*) AS n FROM {0} AS s {1} GROUP BY run HAVING max(CAST(decision AS INT)) > 1",
        "SELECT DISTINCT tenant, \"user\", notebook FROM {0} AS s {1}",
        "SELECT seq, max(CAST(decision AS INT)) OVER (PARTITION BY run) AS m FROM {0} AS s {1}",
        "SELECT seq, prompt FROM {0} AS s JOIN (SELECT run AS r, prompt FROM runs) ON r = run {1}",
        "SELECT seq, (SELECT max(CAST(decision AS INT)) FROM events AS e WHERE e.run = s.run) AS m FROM {0} AS s {1}",
        "SELECT * FROM (SELECT run, CAST(decision AS INT) AS d FROM {0} AS s {1}) WHERE d > 1",
        "SELECT count(*) AS n FROM (SELECT * FROM {0} AS s {1} ORDER BY CAST(decision AS INT), seq LIMIT 7)",
        "SELECT call, verdict FROM approvals WHERE call IN (SELECT call FROM {0} AS s {1})",
        "SELECT sum(cost) AS c FROM costs WHERE run IN (SELECT run FROM {0} AS s {1})",
    ]
)  # fmt: skip
STATEMENTS = st.tuples(
    GIVES, SOURCES, st.lists(CONDITIONS, max_size=3, unique=True), st.sampled_from([" AND ", " OR "])
)


def written(parts: tuple[str, str, list[str], str]) -> str:
    gives, source, conditions, glue = parts
    return WITH + gives.format(source, "WHERE " + glue.join(conditions) if conditions else "")


@settings(max_examples=12, deadline=None)
@given(STATEMENTS.map(written))
def test_whatever_is_asked_others_rows_are_not_there(workspaces: Workspaces, query: str) -> None:
    same(workspaces, query)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(STATEMENTS.map(written))
def test_whatever_is_asked_others_rows_are_not_there_at_length(workspaces: Workspaces, query: str) -> None:
    same(workspaces, query)


QUALIFIERS = st.lists(
    st.sampled_from(["assent", "main", SCOPED, FENCED, "temp", "system", "memory", '"main"', "MAIN", "pg_catalog"]),
    min_size=1,
    max_size=3,
)
PLACES = st.sampled_from(
    [
        "SELECT * FROM {}",
        "FROM {} LIMIT 1",
        "WITH x AS (FROM {}) FROM x",
        "SELECT (SELECT count(*) FROM {})",
        "SELECT seq FROM events WHERE seq IN (SELECT seq FROM {})",
        "SELECT * FROM events LEFT JOIN {} AS other ON true",
        "SUMMARIZE {}",
        "SELECT * FROM (DESCRIBE {})",
        "FROM events UNION ALL FROM {}",
        "UNPIVOT {} ON seq",
        "SELECT * FROM events, LATERAL (FROM {})",
    ]
)


@settings(max_examples=30, deadline=None)
@given(PLACES, QUALIFIERS, st.sampled_from(["events", '"events"', "EVENTS", "runs", "costs", "approvals"]))
def test_no_qualified_name_is_read(workspaces: Workspaces, place: str, qualifiers: list[str], name: str) -> None:
    with pytest.raises(QueryError):
        read(workspaces.shared, place.format(".".join([*qualifiers, name])))
