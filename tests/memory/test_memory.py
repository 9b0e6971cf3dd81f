"""A session's memory: within what the session may see."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.workspaces import prepare

from assent.core.errors import NotFound
from assent.core.taint import Source
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


def test_tags_are_given_as_a_list_or_as_one(journal: Journal) -> None:
    ana = memory(journal)
    ana.add([Item(text="old tea", tags=["archived", "kitchen"])])
    for tags in (["archived", "kitchen"], ("archived",), "archived"):
        assert [hit.text for hit in ana.search("tea", tags=tags)] == ["old tea"]
    assert ana.search("tea", tags="kitchen") == []


def test_closing_it_twice_is_as_good_as_once(journal: Journal) -> None:
    ana = memory(journal)
    ana.add([Item(text="tea")])
    ana.close()
    ana.close()
    assert len(ana.search("tea")) == 1


def test_where_a_text_may_come_from_stays_with_it(journal: Journal) -> None:
    page = Source("web", "https://shop.example/reviews")
    ana = memory(journal)
    ana.add([Item(text="tea is best cold", taint=(page,))])
    ana.add([Item(text="tea is best hot")])
    assert {hit.text: hit.taint for hit in ana.search("tea")} == {"tea is best cold": (page,), "tea is best hot": ()}


def test_an_item_is_named_by_the_beginning_of_its_id(journal: Journal) -> None:
    ana, ben = memory(journal), memory(journal, "ben")
    [first] = ana.add([Item(text="Ana's tea", tags=["archived"])])
    assert ana.named(first[:9]).text == "Ana's tea"
    with pytest.raises(NotFound, match="Nothing is remembered under"):
        ben.named(first)
    with pytest.raises(NotFound, match="Nothing is remembered under ''"):
        ana.named("")
    ids = ana.add([Item(text=f"tea {number}") for number in range(33)])  # more than there are signs to begin with
    common = next(sign for sign, count in Counter([name[0] for name in ids]).items() if count > 1)
    with pytest.raises(NotFound, match="More than one id"):
        ana.named(common)


@pytest.mark.parametrize("text", ["a\x00b tea", "tea \ud800", "'; DROP TABLE memory_items; -- tea", "tea 茶🍵"])
def test_an_odd_text_is_kept_and_stops_nothing(journal: Journal, text: str) -> None:
    ana = memory(journal)
    ana.add([Item(text=text, title=text, source=text, collection=text, tags=[text])])
    ana.add([Item(text="green tea")])
    whole = text.replace("\ud800", "?")
    assert {hit.text for hit in ana.search("tea")} == {whole, "green tea"}
    assert [hit.collection for hit in ana.search("tea", collection=whole)] == [whole]
    assert ana.search("\ud800") == ana.search("\x00") == []


def test_opening_a_session_loads_nothing_of_the_index(tmp_path: Path) -> None:
    code = (
        "import sys; from assent import Session; session = Session(sys.argv[1]); was = 'numpy' in sys.modules; "
        "session.memory.search('tea'); print(was, 'numpy' in sys.modules); session.close()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
