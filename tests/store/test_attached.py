"""One journal for all who attach to a workspace in this process."""

from pathlib import Path

import pytest

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store.attached import attach, detach


def note() -> Event:
    return Event(kind=Kind.MODEL_FAILED, run="r", body={"error": ""})


def test_two_owners_in_one_process_share_the_journal_until_the_last_leaves(tmp_path: Path) -> None:
    one = attach(tmp_path)
    two = attach(tmp_path)
    assert one is two
    detach(one)
    two.append([note()]).result()
    detach(two)
    with pytest.raises(StoreError, match="closed"):
        two.append([note()])
