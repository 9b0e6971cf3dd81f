"""What tests of every room share."""

import gc

import pytest
from hypothesis import settings
from tests.support.deeds import done
from tests.support.people import listed

from assent.core import secrets

# How long an example takes says nothing where others run on the same processors; a test as a whole has its time.
settings.register_profile("assent", deadline=None)
settings.load_profile("assent")

gc.disable()  # while tests are collected nothing is thrown away, and to look for it took a third of the time


def pytest_collection_finish() -> None:
    """From here on garbage is looked for again, but not among what was imported."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _nothing_done_yet() -> None:
    """What the tools of `tests.support.deeds` did before was another test's."""
    done.clear()


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some people are listed, with the passphrases of `tests.support.people`."""
    monkeypatch.setenv("ASSENT_PEOPLE", str(listed()))


@pytest.fixture(autouse=True)
def own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that a test made known are forgotten after it: else the last tests search every text for hundreds."""
    monkeypatch.setattr(secrets, "_known", set(secrets._known))
    monkeypatch.setattr(secrets, "_forms", secrets._forms)
