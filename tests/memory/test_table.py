"""`memory_search(…)` in SQL: a table like any other, of constants only."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.support.sessions import opened

from assent.app import Session
from assent.core.errors import QueryError
from assent.core.taint import Source
from assent.memory.item import Item
from assent.memory.table import COLUMNS

PAGE = Source("web", "https://shop.example/reviews")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    costs = pd.DataFrame({"drink": ["tea", "coffee"], "cost": [2.0, 3.0]})
    with opened(tmp_path, namespace={"costs": costs}) as session:
        session.memory.add(
            [Item(text="it's tea with milk", title="tea", tags=["hot"]), Item(text="coffee", title="coffee")]
        )
        yield session


def test_what_is_found_is_joined_with_the_users_tables(session: Session) -> None:
    found = session.sql(
        "SELECT m.text, c.cost, m.tags FROM memory_search('it''s TEA or coffee', k := 20) AS m "
        "JOIN costs c ON c.drink = m.title LEFT JOIN runs r ON r.run = m.run ORDER BY c.cost DESC"
    )
    assert found["text"].tolist() == ["coffee", "it's tea with milk"]
    assert [list(tags) for tags in found["tags"]] == [[], ["hot"]]


def test_each_call_is_a_table_of_its_own(session: Session) -> None:
    [[both]] = session.sql("SELECT count(*) FROM memory_search('tea') a, MEMORY_SEARCH('coffee tea', k := 2) b").values
    assert both == 2
    [[one]] = session.sql("WITH w AS (FROM memory_search('tea coffee', k := 1)) SELECT count(*) FROM w").values
    assert one == 1
    assert session.sql("FROM memory_search('tea') AS m(i, s) SELECT s")["s"].gt(0).all()


def test_a_search_without_hits_has_its_columns(session: Session) -> None:
    found = session.sql("FROM memory_search('wine')")
    assert tuple(found.columns) == COLUMNS
    kinds = session.sql("SELECT typeof(score), typeof(time) FROM (SELECT 1) LEFT JOIN memory_search('wine') ON true")
    assert kinds.values.tolist() == [["DOUBLE", "TIMESTAMP"]]
    assert session.sql("SELECT count(*) FROM memory_search('wine') m JOIN runs r ON r.run = m.run").values == [[0]]


WRONG = [
    ("FROM costs, memory_search(costs.drink)", "no columns and nothing that is computed"),
    ("FROM memory_search('a' || 'b')", "nothing that is computed"),
    ("FROM memory_search((SELECT drink FROM costs LIMIT 1))", "nothing that is computed"),
    ("FROM memory_search()", "looks for one text"),
    ("FROM memory_search('')", "looks for one text"),
    ("FROM memory_search('a', 'b')", "looks for one text"),
    ("FROM memory_search('tea', k := 0)", "gives 1 to 1,000 rows"),
    ("FROM memory_search('tea', k := 'many')", "does not take k := 'many'"),
    ("FROM memory_search('tea', who := 'ben')", "does not take who := 'ben'"),
    ("FROM memory_search('tea') WITH ORDINALITY", "no WITH ORDINALITY"),
    ("SELECT memory_search('tea')", "memory_search"),
    ("DELETE FROM memory_search('tea')", ""),
    ("FROM memory_search('tea'", "syntax error"),
    ("FROM memory_search('tea'); DROP TABLE memory_items", "These are 2 statements"),
]


def test_what_makes_no_sense_is_one_clear_error(session: Session, subtests: pytest.Subtests) -> None:
    for query, said in WRONG:
        with subtests.test(query=query), pytest.raises(QueryError) as raised:
            session.sql(query)
        assert said in str(raised.value)
    assert session.memory.status().items == 2


def test_it_finds_what_the_session_may_see_and_marks_what_it_gives(tmp_path: Path) -> None:
    with opened(tmp_path) as session:
        session.memory.add([Item(text="eve says buy", taint=(PAGE,)), Item(text="hidden: buy", tags=["do_not_rag"])])
        session.carried.cell_begins()
        assert session.sql("FROM memory_search('buy')")["text"].tolist() == ["eve says buy"]
        session.carried.cell({"touched": {"bound": ["x"]}})
        assert session.carried.variable("x") == (PAGE,)
