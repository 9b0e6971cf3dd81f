"""Texts without the keys that this process knows."""

import base64
import json
import time
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assent.core import secrets
from assent.core.secrets import alone, hide, hide_within, remember

KEY = "sk-test/0123+456789=abcdef"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A register of its own for each test."""
    monkeypatch.setattr(secrets, "_known", set())
    monkeypatch.setattr(secrets, "_forms", ())


def test_with_no_key_known_a_text_stays_as_it_is() -> None:
    assert hide(f"a {KEY}") == f"a {KEY}"
    value = {"a": [KEY]}
    assert hide_within(value) is value


def test_every_known_key_is_hidden() -> None:
    remember(KEY, "another-key-1")
    assert hide(f"{KEY}, then another-key-1, {KEY}") == "[key], then [key], [key]"
    assert hide("nothing here") == "nothing here"


def test_what_may_be_a_word_is_not_hidden() -> None:
    remember("", "short", "1234567", "not-needed", "placeholder", "lm-studio")
    words = "short 1234567 not-needed placeholder lm-studio"
    assert hide(words) == words
    remember("12345678", "sk-secret", "Geheimnis", "correct-horse-battery")
    assert hide("12345678 sk-secret Geheimnis correct-horse-battery") == "[key] [key] [key] [key]"


def test_a_key_within_another_leaves_nothing_of_the_longer() -> None:
    remember("abcdefg1", "abcdefg1-ijkl")
    assert hide("abcdefg1-ijkl abcdefg1") == "[key] [key]"


@pytest.mark.parametrize("before", ["", "u:", "user:", "user1:"])
def test_a_key_in_base64_is_hidden_wherever_it_begins(before: str) -> None:
    remember(KEY)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        hidden = hide(f"Basic {encode(f'{before}{KEY}'.encode()).decode()}.")
        assert hidden.startswith("Basic ")
        assert "[key]" in hidden
        assert len(hidden) < len("Basic [key].") + 14  # at most what stood before it, and the padding, is left


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), min_size=8))
def test_a_key_is_hidden_in_json_and_in_urls(key: str) -> None:
    secrets._known.clear()
    remember(key)
    assume(secrets._known)  # a word is none
    assert key not in hide(f"<{key}>")
    for written in (json.dumps({"k": f"x{key}y"}), urlencode({"k": key}), quote(key), repr(f"x{key}y")):
        assert hide(written) != written


def test_values_are_searched_to_their_depth() -> None:
    remember(KEY)
    value = {KEY: [1, None, 2.5, ("x", f"a{KEY}")], "b": {"c": Odd(), "d": True}, 3: "e"}
    assert hide_within(value) == {"[key]": [1, None, 2.5, ["x", "a[key]"]], "b": {"c": "odd [key]", "d": True}, 3: "e"}


def test_an_error_alone_does_not_know_what_led_to_it() -> None:
    error: Exception | None = None
    try:
        try:
            raise ValueError(KEY)
        except ValueError as cause:
            raise LookupError("no such thing") from cause
    except LookupError as caught:
        error = alone(caught)
    assert (error.__cause__, error.__context__, error.__traceback__) == (None, None, None)
    assert str(error) == "no such thing"


def test_hiding_takes_microseconds() -> None:
    remember(*[f"sk-proj-{number}{'aZ3' * 15}" for number in range(5)])
    text = "PATH=/usr/bin:/bin sk-proj is not a key\n" * 500  # 20 kB
    took = min(_timed(text) for _ in range(20))
    assert took < 0.005, f"{took * 1e6:.0f} µs"  # 50 µs on a quiet machine


class Odd:
    def __str__(self) -> str:
        return f"odd {KEY}"


def _timed(text: str) -> float:
    began = time.perf_counter()
    assert hide(text) == text
    return time.perf_counter() - began
