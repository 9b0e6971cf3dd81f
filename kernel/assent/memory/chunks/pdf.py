"""The text of PDFs, by pypdf (the extra `pdf`): page by page, for what they look like is not text."""

import logging
from collections.abc import Iterator
from io import BytesIO

from assent.core.errors import ConfigError, Unreadable
from assent.memory.chunks import packing
from assent.memory.chunks.chunk import Chunk


def chunks(name: str, data: bytes) -> Iterator[Chunk]:
    """The chunks of a PDF, by the numbers of its pages; none where it holds pictures only."""
    for number, text in enumerate(_pages(name, data), 1):
        yield from packing.placed(packing.prose(text.split("\n")), "page", number)


def _pages(name: str, data: bytes) -> list[str]:
    try:
        from pypdf import PdfReader
    except ImportError:
        raise ConfigError(f"{name} is a PDF, which needs pypdf: `pip install 'assent[pdf]'`.") from None
    log = logging.getLogger("pypdf")
    level = log.level
    log.setLevel(logging.CRITICAL)  # it warns of damage that it copes with
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable(f"{name} is locked by a password: save it without one, or leave it out.")
        return [page.extract_text() for page in reader.pages]
    except Unreadable:
        raise
    except Exception as error:  # whatever a damaged file makes of a parser
        raise Unreadable(
            f"{name} cannot be read as a PDF ({type(error).__name__}): mend it or leave it out."
        ) from error
    finally:
        log.setLevel(level)
