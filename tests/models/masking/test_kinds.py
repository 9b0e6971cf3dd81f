"""Each kind is found by its form and its check digits, and what only looks like it is not."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from assent.core.mask import KINDS
from assent.models.masking.kinds import find, same
from assent.models.masking.usual import usual

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
    "us_ssn": ["078-05-1120", "078\u201005\u20101120"],
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
    "us_ssn": [
        "000-05-1120",
        "666-05-1120",
        "900-05-1120",
        "078-00-1120",
        "078-05-0000",
        "078051120",
        "078 05 1120",
        "SSN 666051120",
        "SSN: 0780511201",
        "ssns 078051120",
        "1-078-05-1120",
        "078-05-1120-3",
        "078-05-11203",
    ],
}


# As spreadsheets, web pages, URLs, JSON, PDFs and people write the same ones.
SPELT = {
    "email": [
        "anna@example.com", "ANNA@EXAMPLE.COM", "anna%40example.com", "anna%2540example.com", "anna\\u0040example.com",
        "anna\\\\u0040example.com", "anna&#64;example.com", "anna&#x40;example.com", "anna&commat;example.com",
        "anna\uff20example\uff0ecom", "an\u200bna@exam\u00adple.com", "anna@\nexample.com", "anna@example\u3002com",
    ],
    "card": [
        "4111 1111 1111 1111", "4111\u00a01111\u00a01111\u00a01111", "4111\u20091111\u20091111\u20091111",
        "4111\u20111111\u20111111\u20111111", "4111\u22121111\u22121111\u22121111", "4111.1111.1111.1111",
        "4111 - 1111 - 1111 - 1111", "4111  1111  1111  1111", "4111 1111\n1111 1111", "4111-1111-\n  1111-1111",
        "4111 1111\\n1111 1111", "4111%201111%201111%201111", "4111%C2%A01111%C2%A01111%C2%A01111",
        "4111+1111+1111+1111", "4111&nbsp;1111&nbsp;1111&nbsp;1111", "4111\\u00a01111\\u00a01111\\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111", "\uff14" + "\uff11" * 15, "\u0664" + "\u0661" * 15,
        "4,111,111,111,111,111", "4_111_111_111_111_111",
    ],
    "iban": [
        "DE89370400440532013000", "de89 3704 0044 0532 0130 00", "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000",
        "DE89-3704-0044-0532-0130-00", "DE89.3704.0044.0532.0130.00", "DE89 3704 0044\n0532 0130 00",
        "DE89%203704%200044%200532%200130%2000", "D\u200bE89\u200b370400440532013000",
    ],
    "br_cpf": ["390.533.447-05", "390 533 447 05", "390.533.447/05", "390\u2024533\u2024447\u201105", "39053344705"],
    "ch_ahv": ["756.9217.0769.85", "756 9217 0769 85", "756-9217-0769-85", "\uff17\uff15\uff16.9217.0769.85"],
    "de_steuer_id": ["86 095 742 719", "86\u202f095\u202f742\u202f719", "86.095.742.719", "86 095\n742 719"],
    "es_dni": ["12345678Z", "12345678z", "12.345.678-Z", "12345678 Z", "12345678\u2010Z"],
    "fr_nir": ["295109912611193", "2 95 10 99 126 111 93", "2-95-10-99-126-111-93",
               "2\u00a095\u00a01099126111\u00a093"],
    "nl_bsn": ["111222333", "1112.22.333", "111 222 333", "111.222.333"],
    "uk_nhs": ["9434765919", "943 476 5919", "943\u2011476\u20115919", "943%20476%205919"],
    "us_ssn": ["078-05-1120", "078\u201105\u20111120", "078&#45;05&#45;1120", "\uff10\uff17\uff18-05-1120",
               "078-05-\n1120"],
}  # fmt: skip
WITHIN = [  # where it stands, and what of it is found
    ("email", "https://h.org/u/anna@example.com/edit?cc=ben%40example.com#x",
     ["anna@example.com", "ben%40example.com"]),
    ("email", "mailto:anna+tag@example.com?cc=ben@example.org", ["anna+tag@example.com", "ben@example.org"]),
    ("email", '{"to": "x\\nanna@example.com\\nben"}', ["anna@example.com"]),  # \\n is no part of it
    ("email", "{'to': 'anna@example.com'} user='ben@example.org'", ["anna@example.com", "ben@example.org"]),
    ("email", "a|anna@example.com|b", ["anna@example.com"]),
    ("email", "bounce+anna=example.com@list.org", ["bounce+anna=example.com@list.org"]),
    ("email", '"anna b"@example.com, anna@[10.0.0.1], ann@xn--exmple-cua.de',
     ['"anna b"@example.com', "anna@[10.0.0.1]", "ann@xn--exmple-cua.de"]),
    ("email", "\u0939\u093f\u0928\u094d\u0926\u0940@\u0909\u0926\u093e.\u092d\u093e\u0930\u0924",
     ["\u0939\u093f\u0928\u094d\u0926\u0940@\u0909\u0926\u093e.\u092d\u093e\u0930\u0924"]),
    ("card", "5000 4111 1111 1111 1111 123", ["4111 1111 1111 1111"]),  # an amount before it, a code behind
    ("card", "card\n4111111111111111.0\n5500005555555559.0", ["4111111111111111", "5500005555555559"]),
    ("iban", "to ES91 2100 0418 4502 0005 1332 paid from MT84MALT011000012345MTLCAST001S",
     ["ES91 2100 0418 4502 0005 1332", "MT84MALT011000012345MTLCAST001S"]),
    ("us_ssn", "SSN 078051120, Social Security Number is: 078 05 1120; soc. sec. no. 078.05.1120",
     ["078051120", "078 05 1120", "078.05.1120"]),
    ("us_ssn", '{"ssn": "078051120", "user_ssn": 219099999} ?ssn=078051120&x=1 "socialSecurityNumber": 078051120',
     ["078051120", "219099999", "078051120", "078051120"]),
    ("us_ssn", "078-05-1120|219-09-9999, order 078051120, lesson 078051120, 12.078-05-1120",
     ["078-05-1120", "219-09-9999"]),
]  # fmt: skip


def found(kind: str, text: str) -> list[str]:
    return [text[begin:end] for begin, end in find(kind, usual(text))]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_found_where_it_stands(kind: str) -> None:
    for value in VALID[kind]:
        assert found(kind, f'said "{value}", and more') == [value]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, spelt in SPELT.items() for value in spelt])
def test_it_is_found_however_it_is_spelt(kind: str, value: str) -> None:
    for text in (f"was {value}, and more", f"\u00e4 \u200b{value}", f"&amp; {value}<br>"):
        assert found(kind, text) == [value]
    assert same(kind, value) == same(kind, SPELT[kind][0])


@pytest.mark.parametrize(("kind", "text", "parts"), WITHIN)
def test_no_more_and_no_less_of_what_is_around_it(kind: str, text: str, parts: list[str]) -> None:
    assert found(kind, text) == parts


def others() -> str:
    """What stands in data and is nobody's: times, numbers of orders, hashes, identifiers, telephones, versions."""
    moments = [datetime(2026, month, 21, 20, 35, month, 137 * month, UTC) for month in range(1, 13)]
    names = [str(number).encode() for number in range(300)]
    lines = [f"{at.isoformat()} {at:%Y%m%d%H%M%S} {at.timestamp() * 1000:.0f} {at.timestamp():.6f}" for at in moments]
    lines += [f"{sha256(name).hexdigest()} {uuid.uuid5(uuid.NAMESPACE_URL, str(name))}" for name in names]
    lines += [f"0.{int(sha256(name).hexdigest()[:13], 16)} GET /v1/orders/ORD-{hash_of(name)}" for name in names]
    lines += ["2019 2020 2021 2022", "4111\n1111\n1111\n1111", "+49 30 901820, +1 212-555-0100, (0)20 7946 0958"]
    lines += ["lodash@4.17.21 @decorator a @ b", "it10 people went to the sea and at12 some came back again"]
    lines += ["4111 1111 1111 1112", "DE89 3704 0044 0532 0130 01", "192.168.100.200", "https://h.org/a%20b?x=1&y=2"]
    return "\n".join(lines)


def hash_of(name: bytes) -> str:
    return str(int(sha256(name).hexdigest()[:8], 16))


@pytest.mark.parametrize("kind", ["email", "card", "iban", "us_ssn"])
def test_what_only_looks_like_one_is_left(kind: str) -> None:
    assert found(kind, others()) == []


@pytest.mark.parametrize("kind", SAME)
def test_one_value_however_it_is_written(kind: str) -> None:
    one, other = SAME[kind]
    assert same(kind, one) == same(kind, other)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_check_digits_are_something_else(kind: str) -> None:
    for value in INVALID[kind]:
        assert found(kind, f"said {value}, and more") == []


@pytest.mark.parametrize("kind", KINDS)
def test_all_ways_to_write_it_are_one_value(kind: str) -> None:
    if kind in ("card", "es_dni", "email", "iban"):
        assert same(kind, VALID[kind][0].replace(" ", "")) == same(kind, VALID[kind][0])
    else:
        assert len({same(kind, value) for value in VALID[kind]}) == 1


MEGABYTE = 1_000_000
ADVERSE = [
    "a", "1", "@", "a@", "1 ", "4111 ", "4111 1111 1111 1112 ", "DE89 ", "de11", "a.", "a@a.", "a.a@", '"@', "%", "%25",
    "\\", "\\\\u", "&", "&#", "1\n", "1-\n  ", "=a", "?a=", "2 95 10 99 ", "X1234567", "756.9217.", "\u200b1",
    "\uff11", "&a;", "ssn ", "ssn no ", "123-45-",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("piece", ADVERSE)
def test_no_text_takes_longer_for_being_longer(piece: str) -> None:
    """A text ten times as long takes about ten times as long; where one looks back without end it is a hundred."""
    short, long = (searched(piece * (size // len(piece))) for size in (MEGABYTE // 10, MEGABYTE))
    assert long < 40 * max(short, 0.002)


def searched(text: str) -> float:
    """CPU seconds."""
    return spent(lambda: [found(kind, text) for kind in ("email", "card", "iban", "fr_nir", "es_dni", "us_ssn")])


def spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
