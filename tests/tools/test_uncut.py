"""What tools tell is cut through nothing that is to be masked, whoever cuts it: we or pandas."""

import pandas as pd
import pytest
from tests.support.whole import CARD, WHOLE

from assent.core.cut import unparted
from assent.tools.evaluate import Capture
from assent.tools.execute import TEXT_LIMIT, clip
from assent.tools.preview import preview
from assent.tools.uncut import uncut


@pytest.mark.parametrize("shift", range(1, len(CARD)))
def test_a_value_at_a_cut_is_told_whole(shift: int) -> None:
    half = TEXT_LIMIT // 2
    text = f"{'x' * (half - shift)}{CARD}{'y' * half}{CARD}{'z' * (half - shift)}"
    with unparted(WHOLE):
        head, _, tail = clip(text).split("\n")
    assert (head[half - shift :], tail[: len(CARD)]) == (CARD, CARD)
    assert "9,962 characters" not in clip(text)  # outside, a cut is a cut


def test_nothing_is_missing_where_the_ends_meet() -> None:
    with unparted(WHOLE):
        assert clip(f"ab{CARD}cd", 8) == f"ab{CARD}cd"


def test_a_variable_is_told_so_and_so_is_a_cell_of_a_table() -> None:
    text = f"{'x' * 490}{CARD}{'y' * 100}"
    frame = pd.DataFrame({"said": [f"{'x' * 30} {CARD} and more"], "number": [1]})
    with unparted(WHOLE):
        assert f"{CARD}… (str" in preview(text)
        assert f"{CARD}…" in preview(frame)
        assert CARD in preview(frame["said"])  # which pandas cuts after 50 signs
    assert not any(CARD in preview(value) for value in (text, frame))


def test_what_is_printed_beyond_measure_ends_behind_it() -> None:
    printed = Capture(100)
    printed.write(f"{'x' * 95}{CARD}{'y' * 10_000}")
    with unparted(WHOLE):
        assert printed.text() == f"{'x' * 95}{CARD}\n… 10,000 more characters were printed …"


def test_pandas_cuts_no_cell_meanwhile() -> None:
    before = pd.get_option("display.max_colwidth")
    with unparted(WHOLE), uncut():
        assert pd.get_option("display.max_colwidth") is None
    assert pd.get_option("display.max_colwidth") == before
    with uncut():
        assert pd.get_option("display.max_colwidth") == before
