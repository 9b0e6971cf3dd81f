"""What of a text is indexed: in any script, of code as of prose, and nothing that says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.memory.terms import LONGEST, key, query, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Running runners ran", ["run", "runner", "ran"]),
        ("the cat's whiskers, and I don't", ["cat", "whisker"]),
        ("getUserName, parse_json_file", ["(getusernam)", "get", "user", "name", "pars", "json", "file"]),
        ("HTTPServer YouTube mRNA iPhone", ["(httpserver)", "http", "server", "(youtub)", "tube", "mrna", "iphon"]),
        ("C++ and C# and F#, a c", ["c++", "c#", "f#"]),
        ("COVID-19 in 2021, vitamin B 9", ["covid", "19", "2021", "vitamin", "9"]),
        ("Caf\u00e9 CAFE\u0301 na\u00efve \u00dcn\u00efcode Stra\u00dfe", ["cafe", "cafe", "naiv", "unicod", "strass"]),
        ("\ufb01ne \uff46\uff55\uff4c\uff4c", ["fine", "full"]),
        ("\u6771\u4eac\u306b", ["\u6771\u4eac", "\u4eac\u306b", "(\u6771)", "(\u4eac)"]),
        ("\u304c", ["\u304c"]),  # whose mark is no accent
        ("\u7528Python", ["\u7528", "python"]),
        ("\uc11c\uc6b8", ["\uc11c\uc6b8"]),
        ("\u043f\u0440\u0438\u0432\u0435\u0442", ["\u043f\u0440\u0438\u0432\u0435\u0442"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", ["\u0939\u093f\u0928\u094d\u0926\u0940"]),  # one word with its vowels
        ("\U0001f389 party", ["\U0001f389", "parti"]),
        ("a\x00b null\x00byte", ["null", "byte"]),
        ("'; DROP TABLE events; --", ["drop", "tabl", "event"]),
        ("the of and", []),
        ("", []),
        ("  \n\t _ __ -- !", []),
        ("\ud800 half", ["half"]),
    ],
)
def test_the_terms_of_a_text(text: str, found: list[str]) -> None:
    """Those in brackets are not counted in its length."""
    assert [term.text if term.inside else f"({term.text})" for term in terms(text)] == found


def test_a_word_without_end_is_cut() -> None:
    [term] = terms("x" * 1_000_000)
    assert len(term.text) == LONGEST


def test_a_text_without_spaces_loses_nothing() -> None:
    text = "".join([chr(0x4E00 + number) for number in range(1_000)])
    pairs = {term.text for term in terms(text) if term.inside}
    assert pairs == {text[at : at + 2] for at in range(999)}


def test_what_stands_twice_in_a_query_counts_twice_and_what_only_helps_half() -> None:
    assert query("tea tea milk") == {key("tea"): 2, key("milk"): 1}
    assert query("JavaScript") == {key("javascript"): 1, key("java"): 0.5, key("script"): 0.5}


@given(st.text(), st.text())
def test_a_query_meets_a_text_that_contains_it(before: str, word: str) -> None:
    assert query(word).keys() <= {term.key for term in terms(f"{before} {word}")}


@given(st.text())
def test_what_is_remembered_of_words_changes_nothing(text: str) -> None:
    assert terms(text) == terms(text)
    assert all(term.key == key(term.text) for term in terms(text))


def test_a_key_is_the_same_in_every_process() -> None:
    assert key("assent") == 8237477330514894718
