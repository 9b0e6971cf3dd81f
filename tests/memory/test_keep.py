"""Remembering, finding and forgetting in a real workspace."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests.support.waiting import eventually
from tests.support.workspaces import prepare

from assent.core.events import Scope
from assent.memory.index import Index
from assent.memory.item import Filter, Item
from assent.memory.keep import add, forget
from assent.memory.search import search
from assent.store.access import EVERYONE
from assent.store.journal import Journal
from assent.store.window import Window

ANA = Filter(tenant="default", user="ana")


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    journal = Journal(prepare(tmp_path))
    yield Window(journal, EVERYONE, "default", "ana")
    journal.close()


@pytest.fixture
def index(window: Window) -> Iterator[Index]:
    opened = Index(window.house, "default")
    yield opened
    opened.close()


def remember(
    window: Window, index: Index, *texts: str, user: str = "ana", agent: str | None = None, **more: object
) -> list[str]:
    return add(window, index, [Item(text=text, **more) for text in texts], Scope(user=user, agent=agent))  # type: ignore[arg-type]


def found(index: Index, query: str, wanted: Filter = ANA, count: int = 10) -> list[str]:
    return [hit.text for hit in search(index, query, wanted, count)]


def test_what_was_remembered_is_found_at_once(window: Window, index: Index) -> None:
    remember(window, index, "Invoices are due after 30 days.", "The warehouse is in Porto.")
    assert found(index, "when is an invoice due?") == ["Invoices are due after 30 days."]
    assert found(index, "zebra") == []
    assert found(index, "") == []


def test_it_outlives_the_process_that_remembered_it(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    for turn in range(2):
        journal = Journal(folder)
        window, index = Window(journal, EVERYONE, "default", "ana"), Index(journal, "default")
        if turn == 0:
            remember(window, index, "The key is under the mat.")
        assert found(index, "key mat") == ["The key is under the mat."]
        journal.close()


def test_what_is_forgotten_is_found_no_more(window: Window, index: Index) -> None:
    one, two = remember(window, index, "Ana likes tea.", "Ana likes tea with milk.")
    assert len(found(index, "tea")) == 2
    assert forget(window, ANA, [one, "nothing"], "ana") == 1
    assert found(index, "tea") == ["Ana likes tea with milk."]
    assert window.house.select("SELECT count(*) FROM memory_texts") == [(1,)]
    assert forget(window, ANA, [one], "ana") == 0
    assert forget(window, Filter(tenant="default", user="ben"), [two], "ben") == 0
    assert found(index, "milk") == ["Ana likes tea with milk."]


def test_nobody_finds_what_is_somebody_elses(window: Window, index: Index) -> None:
    remember(window, index, "Ben earns 100.", user="ben")
    remember(window, index, "Ana earns 200.")
    assert found(index, "earns") == ["Ana earns 200."]
    assert found(index, "earns", Filter(tenant="default")) == ["Ben earns 100.", "Ana earns 200."]
    assert found(index, "earns", Filter(tenant="elsewhere")) == []


def test_an_agent_finds_its_own_and_what_is_no_agents(window: Window, index: Index) -> None:
    remember(window, index, "tea for the scout", agent="scout")
    remember(window, index, "tea for the critic", agent="critic")
    remember(window, index, "tea for all")
    assert set(found(index, "tea", Filter(tenant="default", agent="scout"))) == {"tea for the scout", "tea for all"}


def test_what_is_archived_is_found_by_that_name_only(window: Window, index: Index) -> None:
    remember(window, index, "old tea", tags=["archived"])
    remember(window, index, "secret tea", tags=["do_not_rag", "kitchen"])
    remember(window, index, "new tea", tags=["kitchen"])
    assert found(index, "tea") == ["new tea"]
    assert found(index, "tea", Filter(tenant="default", tags=("archived",))) == ["old tea"]
    assert found(index, "tea", Filter(tenant="default", tags=("kitchen",))) == ["new tea"]
    assert set(found(index, "tea", Filter(tenant="default", tags=("kitchen", "do_not_rag")))) == {"secret tea"}


def test_what_was_so_long_ago_is_left_out(window: Window, index: Index) -> None:
    remember(window, index, "tea in winter", dated=datetime(2020, 1, 1))
    remember(window, index, "tea in summer", dated=datetime(2024, 7, 1))
    assert found(index, "tea", Filter(tenant="default", since=datetime(2024, 1, 1))) == ["tea in summer"]


def test_the_same_text_is_kept_once_and_found_for_each_who_has_it(window: Window, index: Index) -> None:
    [first] = remember(window, index, "Tea is at five.", source="a.md")
    assert found(index, "tea", Filter(tenant="default", user="ben")) == []
    remember(window, index, "Tea is at five.", "Tea is at five.", user="ben", source="b.md")
    assert window.house.select("SELECT count(*) FROM memory_texts") == [(1,)]
    assert len(found(index, "tea", Filter(tenant="default", user="ben"))) == 2
    forget(window, ANA, [first], "ana")
    assert found(index, "tea") == []
    assert len(found(index, "tea", Filter(tenant="default", user="ben"))) == 2


def test_a_large_segment_is_in_small_rows(window: Window, index: Index) -> None:
    """DuckDB holds 2,048 rows of a table at once while it writes a checkpoint, of which ours has 256 MB."""
    remember(window, index, *[f"{number} " + " ".join(map(str, range(number, number + 40))) for number in range(2_000)])
    [(rows, largest, passages)] = window.house.select(
        "SELECT count(*), max(octet_length(data)), sum(passages) FROM memory_segments"
    )
    assert rows > 5
    assert largest <= 32_000
    assert passages == 2_000
    fresh = Index(window.house, "default")
    assert search(fresh, "number 1777", ANA) == search(index, "number 1777", ANA)
    fresh.close()


def test_many_small_segments_become_few(window: Window, index: Index) -> None:
    ids = [remember(window, index, f"number {count} of the teas")[0] for count in range(70)]
    forget(window, ANA, ids[:5], "ana")
    for count in range(70, 140):
        remember(window, index, f"number {count} of the teas")
    [(segments, passages)] = window.house.select("SELECT count(DISTINCT name), sum(passages) FROM memory_segments")
    assert segments < 20
    assert 135 <= passages <= 140
    assert len(found(index, "teas", count=200)) == 135
    assert found(index, "number 99", count=1) == ["number 99 of the teas"]
    fresh = Index(window.house, "default")
    assert search(fresh, "number 77 teas", ANA, 20) == search(index, "number 77 teas", ANA, 20)
    fresh.close()


def test_sql_sees_what_is_remembered(window: Window, index: Index) -> None:
    remember(window, index, "Ana likes tea.", title="Drinks", tags=["a", "b"], collection="notes", kind="preference")
    frame = window.frame('SELECT kind, collection, title, text, tags, "user" FROM memory', {})
    assert frame.values.tolist()[0][:4] == ["preference", "notes", "Drinks", "Ana likes tea."]
    other = Window(window.house, window.access.__class__("default", "ben"), "default", "ben")
    assert len(other.frame("FROM memory", {})) == 0


def test_an_index_that_missed_what_was_written_looks_again(window: Window, index: Index) -> None:
    for count in range(7):
        remember(window, index, f"tea number {count}")
    eventually(lambda: index._stale)  # it has heard of the last one
    assert len(found(index, "tea")) == 7
    index._unsubscribe()  # from here on it hears of nothing
    other = Index(window.house, "default")
    remember(window, other, "tea of another process")  # merges what the first index still holds
    remember(window, index, *[f"more tea {count}" for count in range(8)])
    assert len(found(index, "tea", count=20)) == 16
    other.close()
