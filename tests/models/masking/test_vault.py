"""The same value is the same placeholder in a conversation, and goes back where a rule says so."""

import json

import pytest

from assent.core.errors import ConfigError, Withheld
from assent.core.mask import Mask
from assent.models.masking.vault import Vault

EMAIL = Mask(kind="email", restore=True)
NAME = Mask(columns=("name",), restore=True)


def test_a_value_keeps_its_placeholder() -> None:
    vault = Vault([EMAIL])
    assert vault.masked("a@x.de, b@x.de")[0] == "[email_1], [email_2]"
    assert vault.masked("B@X.de and a@x.de")[0] == "[email_2] and [email_1]"
    assert dict(vault.masked("a@x.de a@x.de")[1]) == {"email": 2}


def test_a_text_without_any_stays_itself() -> None:
    text = "nothing [email_9] here"
    assert Vault([EMAIL]).masked(text)[0] is text


def test_a_value_of_a_column_is_known_wherever_it_stands_later() -> None:
    vault = Vault([NAME])
    assert vault.masked("name\nAnna O'Hara", [(5, 16, "name")])[0] == "name\n[name_1]"
    assert vault.masked("Dear Anna O'Hara, dear Annabel")[0] == "Dear [name_1], dear Annabel"
    assert vault.masked("Zacharias Ohlendorf", [(0, 19, "name")])[0] == "[name_2]"
    assert vault.masked("Zacharias Ohlendorfs, Zacharias Ohl")[0] == "[name_2]s, Zacharias Ohl"
    assert vault.masked('{"who": "Anna O\'Hara"}')[0] == '{"who": "[name_1]"}'


def test_what_overlaps_becomes_one() -> None:
    vault = Vault([EMAIL, Mask(regex=r"\w+ a@x", name="mine")])
    assert vault.masked("to a@x.de!")[0] == "[mine_1]!"


def test_no_rule_puts_back_what_another_keeps() -> None:
    wide = Mask(regex=r"to .+", name="wide", restore=True)
    for rules in ([Mask(kind="email"), wide], [wide, Mask(kind="email")]):
        vault = Vault(rules)
        assert vault.masked("to a@x.de!")[0] == "[email_1]"
        assert vault.restored("[email_1]") == "[email_1]"
    twice = Vault([Mask(kind="email"), Mask(kind="email", restore=True)])
    assert twice.restored(twice.masked("a@x.de")[0]) == "[email_1]"


def test_values_go_back_into_text_and_into_json() -> None:
    vault = Vault([NAME, Mask(kind="card")])
    vault.masked('Ann "A" \\ B, 4111111111111111', [(0, 11, "name")])
    assert vault.restored("[name_1] [name_2] [card_1]") == 'Ann "A" \\ B [name_2] [card_1]'
    arguments = vault.restored('{"who": "[name_1]"}', quoted=True)
    assert json.loads(arguments) == {"who": 'Ann "A" \\ B'}
    assert vault.masked(arguments)[0] == '{"who": "[name_1]"}'


def test_a_regex_and_a_function_say_what_is_theirs() -> None:
    vault = Vault([Mask(regex=r"KD-\d+", name="customer"), Mask(name="city", function=lambda text: ["Bern"])])
    assert vault.masked("KD-77 of Bern, KD-77")[0] == "[customer_1] of [city_1], [customer_1]"


def test_a_function_that_raises_lets_nothing_through() -> None:
    with pytest.raises(Withheld, match="ZeroDivisionError"):
        Vault([Mask(function=lambda text: [str(1 / 0)])]).masked("x")


@pytest.mark.parametrize(
    "wrong", [{}, {"kind": "email", "regex": "x"}, {"kind": "mail"}, {"regex": "("}, {"kind": "email", "name": "a b"}]
)
def test_a_rule_says_one_thing(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        Mask(**wrong)  # type: ignore[arg-type]  # what a policy file may hold


@pytest.mark.parametrize(
    ("column", "fits"), [("Name", True), ("surname", False), ("home_phone", True), ("phone", False)]
)
def test_columns_fit_by_name_or_glob_whatever_their_case(column: str, fits: bool) -> None:
    assert Mask(columns=("name", "*_PHONE")).covers(column) is fits
