"""A journal of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.store.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path)
    yield opened
    opened.close()
