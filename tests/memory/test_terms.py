"""What of a text is indexed: in any script, of code as of prose, and nothing that says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.memory.terms import LONGEST, key, keys, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Running runners ran", ["run", "runner", "ran"]),
        ("the cat's whiskers, and I don't", ["cat", "whisker"]),
        ("getUserName HTTPServer parse_json_file", ["get", "user", "name", "http", "server", "pars", "json", "file"]),
        ("COVID-19 in 2021, vitamin B 9", ["covid", "19", "2021", "vitamin", "9"]),
        ("Café CAFE\u0301 naïve Ünïcode", ["cafe", "cafe", "naiv", "unicod"]),
        ("\ufb01ne \uff46\uff55\uff4c\uff4c", ["fine", "full"]),
        ("東京都に住む", ["東京", "京都", "都に", "に住", "住む"]),
        ("用Python写", ["用", "python", "写"]),
        ("서울", ["서울"]),
        ("Привет, мир", ["привет", "мир"]),
        ("🎉 party 🎉", ["parti"]),
        ("a\x00b null\x00byte", ["null", "byte"]),
        ("'; DROP TABLE events; --", ["drop", "tabl", "event"]),
        ("the of and", []),
        ("", []),
        ("  \n\t _ __ -- !", []),
        ("\ud800 half", ["half"]),
    ],
)
def test_the_terms_of_a_text(text: str, found: list[str]) -> None:
    assert terms(text) == found


def test_a_word_without_end_is_cut() -> None:
    [term] = terms("x" * 1_000_000)
    assert len(term) == LONGEST


@given(st.text())
def test_keys_are_those_of_the_terms(text: str) -> None:
    assert keys(text) == [key(term) for term in terms(text)]
    assert keys(text) == keys(text)  # also where they are remembered


@given(st.text(), st.text())
def test_a_query_meets_a_text_that_contains_it(before: str, word: str) -> None:
    assert set(keys(word)) <= set(keys(f"{before} {word}"))


def test_a_key_is_the_same_in_every_process() -> None:
    assert key("assent") == 8237477330514894718
