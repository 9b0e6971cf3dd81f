"""A placeholder comes through a stream in one piece."""

import pytest

from assent.models.masking.unbroken import Unbroken


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_a_stream_shows_placeholders_only_whole(size: int) -> None:
    text, stream = "To [email_1], [not one] and [", Unbroken()
    pieces = [stream.take(text[at : at + size]) for at in range(0, len(text), size)]
    assert all("[email" not in piece or "[email_1]" in piece for piece in pieces)
    assert "".join([*pieces, stream.rest()]) == text
