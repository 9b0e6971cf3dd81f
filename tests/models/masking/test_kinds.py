"""Each kind is found by its form and its check digits, and what only looks like it is not."""

import time

import pytest

from assent.core.mask import KINDS
from assent.models.masking.kinds import find, same

# Numbers that the issuers, or test suites of payment networks, publish as examples.
VALID = {
    "email": ["anna@example.com", "o'hara.j+news@mail.example.co.uk", "ÄNNE@exämple.de", "anna%40example.com"],
    "card": [
        "4111111111111111",
        "5500 0055 5555 5559",
        "3782 822463 10005",
        "6011-1111-1111-1117",
        "6011\u00a01111\u00a01111\u00a01117",
    ],
    "iban": [
        "GB82 WEST 1234 5698 7654 32",
        "DE89370400440532013000",
        "NL91ABNA0417164300",
        "NL91\u202fABNA\u202f0417\u202f1643\u202f00",
    ],
    "br_cpf": ["390.533.447-05", "39053344705"],
    "ch_ahv": ["756.9217.0769.85", "7569217076985"],
    "de_steuer_id": ["86095742719", "86 095 742 719"],
    "es_dni": ["12345678Z", "X1234567L", "X-1234567-L"],
    "fr_nir": ["2 95 10 99 126 111 93", "295109912611193"],
    "nl_bsn": ["111222333"],
    "uk_nhs": ["943 476 5919", "9434765919"],
}
SAME = {
    "email": ("Anna@example.com", "anna%40example.com"),
    "card": ("6011-1111-1111-1117", "6011\u00a01111\u00a01111\u00a01117"),
}
INVALID = {
    "email": ["anna@", "@example.com", "a @ b.de", "user@localhost"],
    "card": ["4111111111111112", "41111111111111110000111", "1234567812345670"],
    "iban": ["GB82 WEST 1234 5698 7654 33", "DE8937040044053201300"],
    "br_cpf": ["390.533.447-06", "11111111111"],
    "ch_ahv": ["756.9217.0769.86"],
    "de_steuer_id": ["86095742718"],
    "es_dni": ["12345678A", "X1234567M"],
    "fr_nir": ["2 95 10 99 126 111 94"],
    "nl_bsn": ["111222334"],
    "uk_nhs": ["943 476 5918"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_found_where_it_stands(kind: str) -> None:
    for value in VALID[kind]:
        text = f'said "{value}", and more'
        assert [text[begin:end] for begin, end in find(kind, text)] == [value]


@pytest.mark.parametrize("kind", SAME)
def test_one_value_however_it_is_written(kind: str) -> None:
    one, other = SAME[kind]
    assert same(kind, one) == same(kind, other)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_check_digits_are_something_else(kind: str) -> None:
    for value in INVALID[kind]:
        assert list(find(kind, f"said {value}, and more")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_all_ways_to_write_it_are_one_value(kind: str) -> None:
    if kind in ("card", "es_dni", "email", "iban"):
        assert same(kind, VALID[kind][0].replace(" ", "")) == same(kind, VALID[kind][0])
    else:
        assert len({same(kind, value) for value in VALID[kind]}) == 1


@pytest.mark.parametrize("text", ["a" * 200_000, "1" * 200_000, "@" * 200_000, "a@" * 100_000, "1 " * 100_000])
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    for kind in KINDS:
        list(find(kind, text))
    assert time.process_time() - began < 2
