"""kill -9 while memory is compacted: what was remembered is there, what was forgotten is not, and nothing by half."""

import os
from pathlib import Path

import pytest
from tests.memory.test_compacted import ALL, Kept, check
from tests.support.compacting import kill, noted

from assent.core.events import Kind
from assent.memory.search import search

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60),  # each kill costs a process and a workspace opened
]
KILLS = 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_killed_at_any_moment_memory_is_whole(tmp_path: Path) -> None:
    kill("tests.memory.compactable:compact_again_and_again", tmp_path, KILLS, (0.1, 2.0), 6, checked)


def checked(folder: Path) -> None:
    kept = Kept(folder / "workspace")
    try:
        check(kept.journal)
        assert kept.journal.verify() >= len(kept.journal.events(kind=Kind.COMPACTED))
        found = {hit.id for hit in search(kept.index, "tea", ALL, 1_000)}
        assert found == {name for (name,) in kept.journal.select("SELECT id FROM memory_items")}
        assert noted(folder / "remembered") <= found
        assert not noted(folder / "forgotten") & found
    finally:
        kept.journal.close()
