"""A waiver says what it loosens, why, who gave it and until when; nothing less, nothing more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assent.core.clock import AHEAD, Clock
from assent.core.errors import ConfigError
from assent.core.waiver import EVERYBODY, Waiver, covering, end_of, from_json

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)


def waiver(**given: Any) -> Waiver:
    values: dict[str, Any] = {"id": "w1", "reason": "month end", "by": "ana", "until": LATER, "tool": "mail"}
    return Waiver(**{**values, **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tool": ""}, "one tool or for one budget"),
        ({"budget": "daily"}, "one tool or for one budget"),
        ({"tool": "m*"}, "is a pattern"),
        ({"reason": " "}, "needs a reason"),
        ({"until": LATER.replace(tzinfo=None)}, "time zone"),
        ({"agent": 3}, "by text"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        waiver(**given)


def test_it_comes_back_from_the_journal_as_it_went() -> None:
    given = waiver(agent="analyst", user="ana", tenant="t")
    assert from_json(given.to_json(), "ana", "t") == given


def test_of_several_the_one_that_holds_longest_covers() -> None:
    short, long = waiver(id="w1"), waiver(id="w2", until=LATER + timedelta(days=1))
    assert covering([long, short], tool="mail") == long
    assert covering([long, short], tool="mailer") is None
    assert covering([long, short], budget="mail") is None


def test_its_note_names_everything() -> None:
    assert waiver().note == ("Waiver", "w1 by ana until 2026-11-21 14:00 UTC: month end")
    assert waiver().what == "the rules for mail"
    assert waiver(user="bob", agent="clerk").what == "the rules for mail of the agent clerk for bob"
    assert waiver(tool="", budget="daily", user=EVERYBODY).what == "the budget daily"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2h", NOW + timedelta(hours=2)),
        ("30 m", NOW + timedelta(minutes=30)),
        ("3d", NOW + timedelta(days=3)),
        ("2026-11-21", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-21 14:00", datetime(2026, 11, 21, 14, tzinfo=UTC)),
        ("2026-11-21T16:00+02:00", datetime(2026, 11, 21, 14, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_span_a_date_or_a_moment(text: str, end: datetime) -> None:
    assert end_of(text, NOW.timestamp()) == end


@pytest.mark.parametrize("text", ["", "soon", "2x", "0h", "-1h", "2026-11-20", "2026-13-01", "99999999d", 7])
def test_no_end_is_guessed(text: Any) -> None:
    with pytest.raises(ConfigError):
        end_of(text, NOW.timestamp())


def test_the_clock_never_goes_back_and_never_stands() -> None:
    wall, steady = [1000.0], [0.0]
    clock = Clock(lambda: wall[0], lambda: steady[0])
    assert clock.now() == 1000
    wall[0], steady[0] = 400.0, 5.0  # set back by ten minutes
    assert clock.now() == 1005
    steady[0] = 65.0
    assert clock.now() == 1065
    wall[0] = 2000.0
    assert clock.now() == 2000
    clock.learn(2000 + AHEAD + 1)  # by a clock that was wrong
    assert clock.now() == 2000
    clock.learn(3000)
    clock.learn(10)
    assert clock.now() == 3000
