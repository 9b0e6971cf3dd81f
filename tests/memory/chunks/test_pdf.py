"""Of PDFs the text of each page is read, by a library that need not be there."""

import logging
import sys
from io import BytesIO

import pytest

from assent.core.errors import ConfigError, Unreadable
from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.file import chunks


def _pdf(*pages: str) -> bytes:
    """A PDF by hand: catalogue, pages, one font, and for each page itself and its text."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for n, page in enumerate(pages):
        shown = " ".join(f"({line}) Tj T*" for line in page.split("\n"))
        text = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET" if page else ""
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        bodies.append(f"<< /Length {len(text)} >>\nstream\n{text}\nendstream")
    written, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(places) + 1} /Root 1 0 R >>\n"
    return written + f"{end}startxref\n{len(written)}\n%%EOF\n".encode()


def test_pages_are_chunks_by_their_numbers() -> None:
    assert chunks("paper.PDF", _pdf("Deep sea squid\nlive long.", "", "Second page")) == [
        Chunk("", "Deep sea squid\nlive long.", 1, 1, "page"),
        Chunk("", "Second page", 3, 3, "page"),
    ]


def test_a_page_that_is_too_long_is_several_parts() -> None:
    found = chunks("paper", _pdf("\n".join(f"Line {n} says something about squid in the sea." for n in range(200))))
    assert [(one.first, one.unit, one.part) for one in found] == [(1, "page", n) for n in range(1, len(found) + 1)]
    assert len(found) > 3


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(ConfigError, match=r"^a\.pdf is a PDF, which needs pypdf: `pip install 'assent\[pdf\]'`\.$"):
        chunks("a.pdf", _pdf("x"))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\n", b"%PDF-1.4\n" + bytes(5_000), b"no PDF at all", _pdf("x")[:200]])
def test_a_damaged_file_is_named_and_nothing_is_printed(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unreadable, match=r"^bad\.pdf cannot be read as a PDF \(\w+\): mend it or leave it out\.$"):
        chunks("bad.pdf", data)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("pypdf").level == logging.NOTSET


def test_a_file_under_a_password_is_named() -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(_pdf("secret"))))
    writer.encrypt("password", algorithm="RC4-40")
    written = BytesIO()
    writer.write(written)
    with pytest.raises(Unreadable, match=r"^a\.pdf is locked by a password: save it without one, or leave it out\.$"):
        chunks("a.pdf", written.getvalue())
