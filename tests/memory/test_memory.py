"""A session's memory: within what the session may see."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.workspaces import prepare

from assent.memory.item import Item
from assent.memory.memory import Memory, Status
from assent.store.access import EVERYONE, Access
from assent.store.journal import Journal
from assent.store.window import Window


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(prepare(tmp_path))
    yield opened
    opened.close()


def memory(journal: Journal, user: str = "ana") -> Memory:
    return Memory(Window(journal, Access("default", user), "default", user))


def test_a_session_cannot_ask_for_more_than_it_sees(journal: Journal) -> None:
    ana, ben = memory(journal), memory(journal, "ben")
    ana.add([Item(text="Ana's tea")])
    [id_] = ben.add([Item(text="Ben's tea", collection="ben", tags=["archived"])])
    assert [hit.text for hit in ana.search("tea", user="ben")] == ["Ana's tea"]
    assert [hit.text for hit in ana.search("tea", user=None)] == ["Ana's tea"]
    assert ana.forget([id_]) == 0
    assert [found.name for found in ana.collections()] == [""]
    assert [(found.name, found.items) for found in ben.collections()] == [("ben", 1)]
    assert ana.status().items == 1
    everyone = Memory(Window(journal, EVERYONE, "default", "root"))
    assert everyone.status().items == 2
    assert [hit.text for hit in everyone.search("tea")] == ["Ana's tea"]
    assert everyone.forget([id_]) == 1
    assert ben.status() == Status(0, 1, 2, everyone.status().bytes)


def test_closing_it_twice_is_as_good_as_once(journal: Journal) -> None:
    ana = memory(journal)
    ana.add([Item(text="tea")])
    ana.close()
    ana.close()
    assert len(ana.search("tea")) == 1
