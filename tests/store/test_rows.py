"""Whatever a tool, a model or a person puts into an event can be written, and hashes the same when it is read."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.core.events import Event, Kind
from assent.store.journal import Journal
from assent.store.rows import encoded
from assent.store.schema import VIEWS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.none() | st.text(st.characters(), max_size=8)
EVENTS = st.builds(
    Event, kind=st.sampled_from(Kind), run=st.just("r"), at=st.floats(0, 4e9), user=st.text(), agent=WORDS,
    notebook=WORDS, cell=WORDS, model=WORDS, tool=WORDS, call=WORDS, privilege=WORDS, decision=WORDS,
    step=st.integers(0, 2**31 - 1), input_tokens=st.integers(0, 2**63 - 1),
    cost=st.none() | st.decimals(places=12, min_value=0, max_value=1000) | st.just(Decimal("NaN")),
    duration=st.none() | st.floats(0, 1e6), body=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
)  # fmt: skip


class Stubborn:
    def __str__(self) -> str:
        raise LookupError("no text")


def cycle() -> dict[str, Any]:
    value: dict[str, Any] = {"name": "snake"}
    value["tail"] = [value, value]
    return value


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]
    return value


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, min_size=1, max_size=6))
def test_any_event_is_written_and_hashes_the_same_when_it_is_read(journal: Journal, events: list[Event]) -> None:
    journal.append(events).result(5)
    assert journal.verify() == events[-1].seq


ODD = [
    ({"x": float("nan")}, {"x": "nan"}),
    ({"x": [1.5, float("-inf")]}, {"x": [1.5, "-inf"]}),
    ({("a", 1): 2}, {"('a', 1)": 2}),
    ({"x": {1}}, {"x": "{1}"}),
    ({"x": "half\ud800"}, {"x": "half?"}),
    ({"x": "nul\0"}, {"x": "nul\0"}),
    ({"x": Decimal("1.10")}, {"x": "1.10"}),
    ({"x": Stubborn()}, {"x": "<Stubborn whose text raised LookupError>"}),
    (cycle(), {"name": "snake", "tail": ["…", "…"]}),
]


def test_what_json_cannot_say_is_said_as_nearly_as_it_can(journal: Journal, subtests: pytest.Subtests) -> None:
    for body, kept in ODD:
        with subtests.test(str(kept)):
            journal.append([Event(kind=Kind.CALL_FINISHED, run="r", call="r.1", body=body)]).result(5)
            assert journal.events("r")[-1].body == kept
            assert journal.verify() == len(journal.events("r"))


def test_endless_depth_is_cut() -> None:
    text = encoded({"x": deep()})
    assert "…" in text
    assert len(text) < 1000


COSTS = [
    ("0.0000000005", "0.000000001"),
    ("0.0000000015", "0.000000002"),
    ("0.00000000049999999999999999999", "0"),
    ("123456789.123456789", "123456789.123456789"),
    ("1E-30", "0"),
    ("1E+12", None),
]


def test_a_cost_is_kept_to_nine_decimals_and_hashes_as_it_is_kept(journal: Journal, subtests: pytest.Subtests) -> None:
    for cost, kept in COSTS:
        with subtests.test(cost):
            journal.append([Event(kind=Kind.MODEL_ANSWERED, run="r", cost=Decimal(cost))]).result(5)
            assert journal.events("r")[-1].cost == (None if kept is None else Decimal(kept))
            assert journal.verify() == len(journal.events("r"))


TEXTS = ["half\ud800", "nul\0", "雪", "a'b\"c"]


def test_columns_take_any_text(journal: Journal, subtests: pytest.Subtests) -> None:
    for word in TEXTS:
        with subtests.test(ascii(word)):
            event = Event(kind=Kind.RUN_STARTED, run="r", notebook=word, tool=word, user=word, body={"prompt": word})
            journal.append([event]).result(5)
            assert journal.events("r")[-1].notebook == word.replace("\ud800", "?")
            assert journal.verify() == len(journal.events("r"))
            for view in VIEWS:
                journal.select(f"SELECT * FROM {view}")


TOKENS = [-1, 2**63, 10**30, "12", 1.5, float("nan"), float("inf"), [1], {}, True]


def test_tokens_that_are_no_count_are_left_out_and_the_rest_is_kept(
    journal: Journal, subtests: pytest.Subtests
) -> None:
    for tokens in TOKENS:
        with subtests.test(str(tokens)):
            counts = {"input_tokens": tokens, "output_tokens": 7, "reasoning_tokens": tokens}
            journal.append([Event(kind=Kind.MODEL_ANSWERED, run="r", **counts)]).result(10)
            kept = journal.events("r")[-1]
            assert (kept.input_tokens, kept.output_tokens, kept.reasoning_tokens) == (None, 7, None)
            assert journal.verify() == kept.seq


NAN, INFINITE = float("nan"), float("inf")
DURATIONS = [(3, 3.0), (True, 1.0), (0.5, 0.5), (NAN, None), (INFINITE, None), (10**400, None), ("x", None)]


def test_a_duration_is_a_finite_number_of_seconds_or_left_out(journal: Journal, subtests: pytest.Subtests) -> None:
    for duration, kept in DURATIONS:
        with subtests.test(str(duration)[:9]):
            journal.append([Event(kind=Kind.MODEL_WAITED, run="r", duration=duration)]).result(10)
            assert journal.events("r")[-1].duration == kept
            assert journal.verify() == len(journal.events("r"))
