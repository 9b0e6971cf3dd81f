"""A journal of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.workspaces import prepare

from assent.store.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(prepare(tmp_path))
    yield opened
    opened.close()
