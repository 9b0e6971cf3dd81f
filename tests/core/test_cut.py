"""What is too long is cut, but through nothing that is to be masked."""

import pytest
from tests.support.whole import CARD, WHOLE

from assent.core.cut import back, fore, unparted


@pytest.mark.parametrize("place", range(1, len(CARD)))
def test_a_text_ends_behind_what_is_not_parted_and_begins_before_it(place: int) -> None:
    with unparted(WHOLE):
        assert (fore(CARD, place), back(CARD, place)) == (len(CARD), 0)
    assert (fore(CARD, place), back(CARD, place)) == (place, place)


def test_so_is_what_overlaps_it_and_what_the_text_tells() -> None:
    with unparted(WHOLE):
        assert fore(f"ab{CARD}cd", 4) == back(f"ab{CARD}cd", 4) + len(CARD)
        assert (back("name of Ann", 10, "Ann"), fore("name of Ann", 10, "1 A")) == (8, 10)
        assert fore(f"{CARD} Ann", 10, "1 Ann") == len(CARD) + 4
    assert fore(f"ab{CARD}cd", 4) == 4
