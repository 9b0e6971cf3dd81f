"""Compaction, backup and restore: what is remembered stays, and nothing is left of what was forgotten."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.peer import Peer
from tests.support.waiting import eventually
from tests.support.workspaces import prepare

from assent.core.events import Event, Kind, Scope
from assent.core.retention import Retention
from assent.memory.index import Index
from assent.memory.item import Filter, Item
from assent.memory.keep import add, forget
from assent.memory.purge import purge
from assent.memory.search import search
from assent.memory.stored import loaded, names
from assent.memory.terms import key, terms
from assent.serve.cli import main
from assent.store.access import EVERYONE
from assent.store.backup import back_up
from assent.store.compact import Compacted, compact, foreseen
from assent.store.journal import Journal
from assent.store.restore import restore
from assent.store.window import Window

ALL = Filter(tenant="default")
ROWS = "SELECT * FROM memory_items ORDER BY id", "SELECT * FROM memory_texts ORDER BY number"


class Kept:
    """A workspace with memory, open."""

    def __init__(self, folder: Path, tenant: str = "default") -> None:
        self.journal = Journal(folder)
        self.window = Window(self.journal, EVERYONE, tenant, "ana")
        self.index = Index(self.journal, tenant)
        self.scope = Scope(tenant=tenant, user="ana")

    def add(self, *texts: str) -> list[str]:
        return add(self.window, self.index, [Item(text=text, tags=["a"]) for text in texts], self.scope)

    def forget(self, *ids: str) -> int:
        return forget(self.window, Filter(tenant=self.scope.tenant), ids, "ana")

    def found(self, query: str) -> set[str]:
        return {hit.text for hit in search(self.index, query, Filter(tenant=self.scope.tenant), 1_000)}

    def compact(self) -> Compacted:
        return compact(self.journal, Retention(), "ana", purge(self.journal, "ana"))

    def rows(self) -> list[list[tuple[object, ...]]]:
        return [self.journal.select(query) for query in ROWS]

    def compactions(self) -> int:
        return len(self.journal.events(kind=Kind.COMPACTED))


def numbers_of(journal: Journal, name: str) -> list[int]:
    segment = loaded(journal, "default", name)
    assert segment is not None
    return [int(number) for number in segment.numbers]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(prepare(tmp_path))
    yield opened
    opened.journal.close()


def late(journal: Journal, act: Callable[[], object]) -> None:
    """Have something done each time the copy is made, before it is put in its place."""
    upkeep = journal.upkeep

    def doing(name: str, *arguments: object) -> object:
        if name == "swap":
            act()
        return upkeep(name, *arguments)

    journal.upkeep = doing  # type: ignore[method-assign]


def run(text: str) -> list[Event]:
    started = Event(kind=Kind.RUN_STARTED, run="r", body={"prompt": text, "agent": {"name": "ada"}})
    return [started, Event(kind=Kind.RUN_FINISHED, run="r", body={"text": text})]


def test_what_is_remembered_outlives_the_forgetting_of_runs(kept: Kept) -> None:
    kept.add("Ana likes tea.", "The key is under the mat.")
    before = kept.rows()
    kept.journal.append(run("hello")).result(5)
    assert compact(kept.journal, Retention(0.0), "ana").events == 2
    assert kept.rows() == before
    assert kept.found("tea key") == {"Ana likes tea.", "The key is under the mat."}
    kept.add("The tea is green.")
    assert kept.found("tea") == {"Ana likes tea.", "The tea is green."}
    assert kept.journal.verify() == 5


def test_nothing_of_a_forgotten_text_is_in_the_files_bytes(kept: Kept) -> None:
    word = secrets.token_hex(8) + "qzx"
    text = f"The merger is called {word}."
    [term] = [found.key for found in terms(word)]
    stays, goes, _ = kept.add("Tea is at five.", text, f"An old {word}.")
    kept.journal.upkeep("snapshot", str(kept.journal.folder / "before"))
    there = b"".join([path.read_bytes() for path in kept.journal.folder.glob("before*")])
    assert text.encode() in there
    assert term.to_bytes(8, "little") in there
    assert kept.forget(goes) == 1
    kept.compact()
    assert term.to_bytes(8, "little") in bytes_of(kept)  # somebody else's text has it
    assert text.encode() not in bytes_of(kept)
    kept.forget(*[hit.id for hit in search(kept.index, word, ALL)])
    assert kept.compact().items == 1
    kept.journal.close()
    left = bytes_of(kept)
    assert b"Tea is at five." in left
    assert key("tea").to_bytes(8, "little") in left
    assert word.encode() not in left
    assert term.to_bytes(8, "little") not in left
    assert stays


def bytes_of(kept: Kept) -> bytes:
    return b"".join([path.read_bytes() for path in kept.journal.folder.glob("assent.duckdb*")])


def test_it_is_compacted_once_for_what_was_forgotten(kept: Kept) -> None:
    first, second = kept.add("one tea", "two teas")
    assert kept.compact().items == kept.compactions() == 0
    kept.forget(first)
    assert foreseen(kept.journal, Retention()).texts == "0 texts of 0 runs and 1 item of memory"
    assert str(kept.compact()).startswith("0 texts of 0 runs and 1 item of memory forgotten")
    assert kept.compactions() == 1
    assert str(kept.compact()).startswith("no texts to forget")
    assert kept.compactions() == 1
    kept.forget(second)
    kept.compact()
    assert kept.compactions() == 2
    assert kept.journal.select("SELECT count(*) FROM memory_segments") == [(0,)]
    assert kept.found("tea") == set()


def test_what_comes_and_goes_while_the_copy_is_made_is_in_it(kept: Kept) -> None:
    """And what goes then is taken from the disk by the next compaction."""
    ids = kept.add(*[f"tea {number}" for number in range(10)])
    for number in range(20):  # so that segments are merged
        kept.add(f"early tea {number}")
    kept.forget(ids[0])
    added: list[str] = []

    def change() -> None:
        kept.forget(ids[1])
        added.extend(kept.add(*[f"late tea {number}" for number in range(5)]))
        kept.forget(added[0])
        changed.extend(kept.rows())

    changed: list[list[tuple[object, ...]]] = []
    late(kept.journal, change)
    kept.compact()
    assert kept.rows() == changed
    assert kept.found("tea") == {f"tea {number}" for number in range(2, 10)} | {
        f"late tea {number}" for number in range(1, 5)
    } | {f"early tea {number}" for number in range(20)}
    del kept.journal.upkeep
    assert kept.compact().items == 2
    check(kept.journal)
    assert kept.journal.select("SELECT sum(passages) FROM memory_segments") == [(32,)]


def check(journal: Journal) -> None:
    """Each item has its text, each text an item and one place in the index."""
    numbers = [number for (number,) in journal.select("SELECT DISTINCT number FROM memory_items ORDER BY number")]
    assert numbers == [number for (number,) in journal.select("SELECT number FROM memory_texts ORDER BY number")]
    places = [number for name in names(journal, "default") for number in numbers_of(journal, name)]
    assert len(places) == len(set(places))
    assert set(numbers) <= set(places)


def test_the_memory_of_every_tenant_is_purged(kept: Kept, tmp_path: Path) -> None:
    window = Window(kept.journal, EVERYONE, "elsewhere", "ben")
    index = Index(kept.journal, "elsewhere")
    theirs = add(
        window, index, [Item(text="their tea"), Item(text="their milk")], Scope(tenant="elsewhere", user="ben")
    )
    mine = kept.add("my tea", "my milk")
    kept.forget(mine[0])
    forget(window, Filter(tenant="elsewhere"), theirs[:1], "ben")
    kept.compact()
    assert kept.journal.select("SELECT tenant, sum(passages) FROM memory_segments GROUP BY ALL ORDER BY ALL") == [
        ("default", 1), ("elsewhere", 1),
    ]  # fmt: skip
    assert kept.found("tea milk") == {"my milk"}
    assert [hit.text for hit in search(index, "tea milk", Filter(tenant="elsewhere"))] == ["their milk"]


def test_it_is_in_a_backup(kept: Kept, tmp_path: Path) -> None:
    ids = kept.add("Ana likes tea.", "Ana likes milk.")
    kept.forget(ids[1])
    manifest = back_up(kept.journal, tmp_path / "a.zip")
    kept.add("Later tea.")
    restore(tmp_path / "a.zip", tmp_path / "b")
    again = Kept(tmp_path / "b")
    try:
        assert again.found("tea milk") == {"Ana likes tea."}
        assert again.journal.verify() == manifest.events
        assert again.rows()[0] == [row for row in kept.rows()[0] if row[0] == ids[0]]
        again.add("New tea.")
        assert again.found("tea") == {"Ana likes tea.", "New tea."}
    finally:
        again.journal.close()


_PEER = """
from pathlib import Path
from typing import Any
from tests.memory.test_compacted import Kept
kept = Kept(Path(folder))
def work(count):
    texts = []
    for number in range(count):
        first, second = kept.add(f"tea {number} stays", f"tea {number} goes")
        kept.forget(second)
"""


@pytest.mark.slow
def test_others_remember_and_forget_while_it_is_compacted(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    mine = Kept(folder)
    mine.add("my own tea")
    with Peer(folder, _PEER) as peer:
        peer.begin("work(30)")
        for number in range(3):
            mine.forget(*mine.add(f"tea of mine {number}"))
            mine.compact()
        peer.end()
        expected = {f"tea {number} stays" for number in range(30)} | {"my own tea"}
        eventually(lambda: mine.found("tea") == expected)  # what others do is told to a process a moment later
        mine.compact()
        eventually(lambda: set(peer.do('sorted(kept.found("tea"))')) == expected)
        assert peer.do('len(kept.add("and more tea"))') == 1
        eventually(lambda: "and more tea" in mine.found("tea"))
    check(mine.journal)
    assert mine.journal.verify()
    mine.journal.close()


def test_a_segment_that_goes_while_the_index_is_loaded_is_no_matter(kept: Kept) -> None:
    first, _ = kept.add("one tea", "two teas")
    kept.forget(first)
    fresh, select = Index(kept.journal, "default"), kept.journal.select
    purged: list[int] = []

    def slow(query: str, *parameters: Any) -> object:
        if query.startswith("SELECT data") and not purged:
            purged.append(0)
            purge(kept.journal, "ana")
        return select(query, *parameters)

    kept.journal.select = slow  # type: ignore[method-assign, assignment]
    assert [hit.text for hit in search(fresh, "teas", ALL)] == ["two teas"]
    assert purged


def test_the_command_purges_before_it_compacts(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSENT_WORKSPACE", str(tmp_path))
    goes, _ = kept.add("Umbrella tea", "more tea")
    kept.forget(goes)
    kept.journal.close()
    assert main(["compact", "--dry-run"]) == 0
    assert "1 item of memory would be forgotten" in capsys.readouterr().out
    assert main(["compact"]) == 0
    assert "1 item of memory forgotten" in capsys.readouterr().out
    assert key("umbrella").to_bytes(8, "little") not in bytes_of(kept)
    assert key("tea").to_bytes(8, "little") in bytes_of(kept)
