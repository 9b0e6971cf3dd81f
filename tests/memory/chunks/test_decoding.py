"""Bytes become text in the encodings that files come in, and nothing is lost of what is odd."""

import codecs

import pytest

from assent.core.errors import Unreadable
from assent.memory.chunks.decoding import decoded

_TEXT = "Grüße, naïve “quotes”\n東京, done\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_without_its_mark(encoding: str) -> None:
    assert decoded("a.txt", _TEXT.encode(encoding)) == _TEXT


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_BE, "utf-32-be"), (b"", "utf-16-be"), (b"", "utf-16-le")],
)
def test_the_order_of_bytes_is_known_by_the_mark_or_by_the_zeros(mark: bytes, encoding: str) -> None:
    assert decoded("a.txt", mark + "name;Größe\r\n1;2\r\n".encode(encoding)) == "name;Größe\n1;2\n"


def test_latin_1_is_read_as_windows_has_it() -> None:
    assert decoded("a.txt", "Größe “é” €\n".encode("cp1252")) == "Größe “é” €\n"


def test_single_bytes_that_are_no_utf_8_are_read_as_latin_1() -> None:
    assert decoded("a.txt", "東京 ".encode() + b"caf\xe9 \x81" + " 東京".encode()) == "東京 café \x81 東京"


def test_lines_end_in_one_way() -> None:
    assert decoded("a.txt", b"a\r\nb\rc\n\r\nd") == "a\nb\nc\n\nd"


def test_a_few_zeros_and_escapes_are_text() -> None:
    assert decoded("a.log", b"a\x00b \x1b[31mred\x1b[0m") == "a\x00b \x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    "data",
    [
        bytes(64),
        bytes(range(256)),
        b"text " * 20 + b"\x00\x01\x02\x03" * 20,
        "日本語のテキスト".encode("shift-jis") * 20,
        codecs.BOM_UTF16_LE + bytes(range(0xD0, 0xE0)) * 40,
        b"\x01\x00\x02\x00" * 40,
    ],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^a\.bin is not text"):
        decoded("a.bin", data)
