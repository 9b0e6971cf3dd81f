"""What tests of every room share."""

import pytest
from tests.support.deeds import done
from tests.support.people import listed


@pytest.fixture(autouse=True)
def _nothing_done_yet() -> None:
    """What the tools of `tests.support.deeds` did before was another test's."""
    done.clear()


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some people are listed, with the passphrases of `tests.support.people`."""
    monkeypatch.setenv("ASSENT_PEOPLE", str(listed()))
