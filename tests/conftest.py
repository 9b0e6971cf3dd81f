"""What tests of every room share."""

import pytest
from tests.support.people import listed


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some people are listed, with the passphrases of `tests.support.people`."""
    monkeypatch.setenv("ASSENT_PEOPLE", str(listed()))
