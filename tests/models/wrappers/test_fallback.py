"""Other models for one that fails: who is asked, what is said, what is void."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.attempts import Attempts, answer, fault, hear, notices, refusal

from assent.core.errors import NoModel
from assent.core.events import Kind
from assent.core.model import Model, Notice
from assent.models.wrappers.fallback import fallback


def asked(first: Attempts, **others: Attempts) -> list[Any]:
    """What comes of asking `first`, then the others by name; one that is None cannot be found."""

    def find(name: str) -> Model:
        if name not in others:
            raise NoModel(f"{name.title()} needs a key: set {name.upper()}_API_KEY.")
        return others[name]

    return hear(fallback(first, [*others, "groq", "xai"], find))


def test_nobody_else_is_asked_while_the_first_answers() -> None:
    end = answer()
    assert asked(Attempts(["words", end])) == ["words", end]


@pytest.mark.parametrize("error", [fault(), refusal(), NoModel("It is gone: start it.")])
def test_the_next_answers_after_any_error_and_is_named(error: Exception) -> None:
    items = asked(Attempts([error]), spare=Attempts(["words", answer()], name="spare:m"))
    reason = str(error).partition(": ")[0] + "."
    assert items[0] == Notice(Kind.MODEL_FELL_BACK, "maker:m", reason, None, False, {"to": "spare:m"})
    assert items[1:] == ["words", replace(answer(), by="spare:m")]


def test_words_of_the_first_are_void() -> None:
    items = asked(
        Attempts(["Half", fault()]),
        b=Attempts([fault()], name="b:m"),
        c=Attempts(["Half", fault()], name="c:m"),
        d=Attempts([answer()], name="d:m"),
    )
    assert [notice.restart for notice in notices(items)] == [True, False, True]
    assert items[-1].by == "d:m"


def test_words_that_were_declared_void_already_are_not_again() -> None:
    retried = Notice(Kind.MODEL_RETRIED, "maker:m", "Cut.", 0.1, True)
    items = asked(Attempts(["Half", retried, fault()]), b=Attempts([answer()], name="b:m"))
    assert [notice.restart for notice in notices(items)] == [True, False]


def test_one_that_is_missing_is_passed_over_and_said() -> None:
    def find(name: str) -> Model:
        if name == "groq:m":
            raise NoModel("Groq needs a key: set GROQ_API_KEY.")
        return Attempts([answer()], name=name)

    [notice, end] = hear(fallback(Attempts([fault()]), ["groq:m", "b:m"], find))
    assert notice.reason == ("It has a fault (HTTP 500); groq:m cannot stand in (Groq needs a key: set GROQ_API_KEY).")
    assert end.by == "b:m"


def test_the_last_error_names_everyone_and_why_in_one_line() -> None:
    items = asked(Attempts([fault()]), b=Attempts([refusal()], name="b:m"))
    assert str(items[-1]) == (
        "No model answered, maker:m (It has a fault (HTTP 500)); b:m (It rejected the request (HTTP 400)); "
        "groq (Groq needs a key: set GROQ_API_KEY); xai (Xai needs a key: set XAI_API_KEY): "
        "run again later, or choose another model."
    )
    assert (items[-1].status, items[-1].retryable) == (400, False)


def test_others_are_looked_for_only_when_needed() -> None:
    looked: list[str] = []

    def find(name: str) -> Model:
        looked.append(name)
        return Attempts([answer()], name=name)

    hear(fallback(Attempts([answer()]), ["b:m"], find))
    assert looked == []
    hear(fallback(Attempts([fault()]), ["b:m", "c:m"], find))
    assert looked == ["b:m"]


def test_every_request_begins_with_the_first() -> None:
    first, spare = Attempts([fault()], [answer()]), Attempts([answer()], name="b:m")
    model = fallback(first, ["b:m"], lambda name: spare)
    assert [hear(model)[-1].by for _ in range(2)] == ["b:m", ""]
