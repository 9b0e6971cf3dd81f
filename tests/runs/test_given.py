"""What holds of what people gave, by the journal: until its end, unless it was taken back or a clock was far ahead."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.workspaces import prepare

from assent.core.clock import AHEAD, CLOCK
from assent.core.events import Event, Kind
from assent.core.trust import Trust, from_json
from assent.runs.given import Given
from assent.store.journal import Journal

UNTIL = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(prepare(tmp_path / "w"))
    yield journal
    journal.close()


def of(house: Journal) -> Given[Trust]:
    return Given(house, Kind.SOURCE_TRUSTED, Kind.TRUST_REVOKED, from_json)


def told(house: Journal, name: str, at: float = 0.0) -> Trust:
    trust = Trust(name, "file:/a", "ours", "ana", UNTIL, user="ana")
    event = Event(kind=Kind.SOURCE_TRUSTED, user="ana", at=at or CLOCK.now(), body=trust.to_json())
    house.append([event]).result(5)
    return trust


def revoked(house: Journal, name: str, user: str = "ana") -> None:
    house.append([Event(kind=Kind.TRUST_REVOKED, user=user, body={"id": name})]).result(5)


def test_it_is_read_and_then_listened_to(house: Journal) -> None:
    first = told(house, "a")
    given = of(house)
    second = told(house, "b")
    assert given.live() == [first, second]
    revoked(house, "a")
    assert given.live() == [second]
    assert of(house).live() == [second]


def test_nobody_takes_back_what_is_anothers(house: Journal) -> None:
    trust = told(house, "a")
    revoked(house, "a", user="bob")
    assert of(house).live() == [trust]


def test_what_a_clock_far_ahead_gave_does_not_hold(house: Journal) -> None:
    told(house, "a", at=CLOCK.now() + 10 * AHEAD)
    assert of(house).live() == []
