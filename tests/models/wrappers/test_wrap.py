"""Which wrappers a model gets, in which order, and what they do together."""

from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies as st
from tests.support.attempts import ASKED, Attempts, answer, fault, hear, notices, refusal

from assent.core.errors import NoModel
from assent.core.events import Kind
from assent.core.model import Answer, Model, Notice
from assent.core.model_settings import ModelSettings
from assent.models.wrappers.wrap import guard_of, guarded, wrapped
from assent.models.wrappers.wrapped import Wrapped

BARE = ModelSettings(attempts=1, breaker=0)
QUICK = ModelSettings(attempts=2, backoff=0.0, breaker=3, cool_down=30)


def nobody(name: str) -> Model:
    raise NoModel(f"There is no {name}.")


def of(model: Model, settings: ModelSettings, folder: Path, **others: Model) -> Model:
    inner = guarded(model, settings)
    return wrapped(inner, settings, others.__getitem__ if others else nobody, folder)


def within(model: Model) -> tuple[Model, ...]:
    assert isinstance(model, Wrapped)
    return model.inner


def kinds(items: list[Any]) -> list[Any]:
    return [item.kind if isinstance(item, Notice) else type(item).__name__ for item in items]


def test_a_model_that_nothing_is_wanted_of_only_says_what_leaves(tmp_path: Path) -> None:
    model = Attempts([answer()])
    assert within(of(model, BARE, tmp_path)) == (model,)


def test_a_model_is_not_its_own_fallback(tmp_path: Path) -> None:
    model = Attempts([answer()])
    assert within(of(model, ModelSettings(attempts=1, breaker=0, fallback=("maker:m",)), tmp_path)) == (model,)


def test_what_stands_in_for_another_has_no_fallback_and_no_cache() -> None:
    wanted = ModelSettings(attempts=7, fallback=("a:b",), cache=60, concurrency=3)
    assert guard_of(wanted) == ModelSettings(attempts=7, concurrency=3)


def test_every_attempt_counts_for_the_circuit_and_an_open_one_ends_the_attempts(tmp_path: Path) -> None:
    model = Attempts([fault()])
    asked = of(model, QUICK, tmp_path)
    assert kinds(hear(asked)) == [Kind.MODEL_RETRIED, "ModelError"]
    items = hear(asked)
    assert kinds(items) == [Kind.CIRCUIT_OPENED, "ModelError"]  # the third failure: no second attempt
    assert len(model.asked) == 3
    [error] = hear(asked)
    assert "left alone for another" in str(error)
    assert len(model.asked) == 3


def test_a_model_that_is_left_alone_is_replaced_at_once(tmp_path: Path) -> None:
    model, spare = Attempts([fault()]), Attempts([answer()], name="b:m")
    settings = ModelSettings(attempts=1, breaker=1, fallback=("b",))
    asked = of(model, settings, tmp_path, b=spare)
    first, second = hear(asked), hear(asked)
    assert kinds(first) == [Kind.CIRCUIT_OPENED, Kind.MODEL_FELL_BACK, "Answer"]
    assert kinds(second) == [Kind.MODEL_FELL_BACK, "Answer"]
    assert "is left alone for another 30 s" in notices(second)[0].reason
    assert (len(model.asked), len(spare.asked)) == (1, 2)


def test_all_attempts_are_made_before_another_is_asked(tmp_path: Path) -> None:
    model, spare = Attempts(["Half", fault()]), Attempts([fault()], ["Whole", answer()], name="b:m")
    settings = ModelSettings(attempts=2, backoff=0.0, fallback=("b",))
    items = hear(of(model, settings, tmp_path, b=guarded(spare, QUICK)))
    assert kinds(items) == [
        "str", Kind.MODEL_RETRIED, "str", Kind.MODEL_FELL_BACK, Kind.MODEL_RETRIED, "str", "Answer"
    ]  # fmt: skip
    assert [notice.restart for notice in notices(items)] == [True, True, False]
    assert "after 2 attempts" in notices(items)[1].reason


def test_what_is_in_the_cache_waits_for_nothing_and_asks_nobody(tmp_path: Path) -> None:
    model = Attempts([answer()], [refusal()])
    settings = ModelSettings(cache=60, requests_per_minute=1, breaker=1)
    asked = of(model, settings, tmp_path)
    hear(asked)
    assert [kinds(hear(asked))[0] for _ in range(5)] == [Kind.MODEL_CACHED] * 5
    assert [request is ASKED for request in model.asked] == [True]


def test_a_request_that_a_circuit_refuses_takes_no_room(tmp_path: Path) -> None:
    model = Attempts([fault()])
    asked = of(model, ModelSettings(attempts=1, breaker=1, requests_per_minute=1), tmp_path)
    hear(asked)
    for _ in range(3):
        [error] = hear(asked)  # at once: in the limit's queue it would wait for a minute
        assert "left alone" in str(error)


attempts = st.lists(st.tuples(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3), st.booleans()), max_size=4)


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(first=attempts, second=attempts, tries=st.integers(1, 3), breaks=st.integers(0, 3))
def test_what_is_shown_and_not_declared_void_is_the_answer_once(
    first: list[tuple[list[str], bool]], second: list[tuple[list[str], bool]], tries: int, breaks: int
) -> None:
    def attempt(words: list[str], fails: bool) -> list[Any]:
        return [*words, fault() if fails else answer("".join(words))]

    model = Attempts(*[attempt(*each) for each in first], ["x", fault()])
    spare = Attempts(*[attempt(*each) for each in second], ["y", fault()], name="b:m")
    wanted = ModelSettings(attempts=tries, backoff=0.0, breaker=breaks, fallback=("b",))
    shown = ""
    for item in hear(of(model, wanted, Path("unused"), b=guarded(spare, wanted))):
        if isinstance(item, str):
            shown += item
        elif isinstance(item, Notice):
            shown = "" if item.restart else shown
        elif isinstance(item, Answer):
            assert shown == item.message.text
    assert len(model.asked) <= tries
    assert len(spare.asked) <= tries
