"""`verify` sees that a remembered text is not the one that was remembered."""

import re
from pathlib import Path

import duckdb
import pytest
from tests.memory.test_compacted import Kept
from tests.support.workspaces import prepare

from assent.memory.item import Item
from assent.memory.keep import add
from assent.store.audit import audit
from assent.store.evidence import opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kept = Kept(prepare(tmp_path))
    kept.add("Ana likes tea.", "Über allen Gipfeln\0ist Ruh", "half a \ufffd pair", "")
    said = Item(text="said", title="Ann", kind="turn")
    forgotten, _ = add(kept.window, kept.index, [said, Item(text="a file", title="Paper")], kept.scope)
    kept.forget(forgotten)
    add(kept.window, kept.index, [said], kept.scope)
    kept.journal.close()
    return tmp_path


def told(folder: Path) -> list[str]:
    with opened(folder) as given:
        return [str(finding) for finding in audit(given.select, given.folder).findings]


def test_what_is_as_it_was_remembered_passes(folder: Path) -> None:
    assert told(folder) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE memory_texts SET text = 'Ana hates tea.' WHERE text = 'Ana likes tea.'", "1 texts .* 0 items"),
        ("UPDATE memory_texts SET digest = NULL WHERE text = 'said'", "1 texts .* 0 items"),
        ("DELETE FROM memory_texts WHERE text = 'said'", "0 texts .* 1 items"),
        ("DROP TABLE memory_texts CASCADE", "could not be looked at"),
    ],
)
def test_what_was_changed_is_found(folder: Path, change: str, found: str) -> None:
    with duckdb.connect(str(folder / "assent.duckdb")) as connection:
        connection.execute(change).fetchall()
    [finding] = told(folder)
    assert re.search(found, finding)
