import pytest

from assent_widgets.markdown import markdown_html
from assent_widgets.stream import Stream

TEXT = "# Title\n\nOne **bold** word.\n\n```\ncode\n\nmore code\n```\n\n- a\n- b\n\nend"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_what_is_taken_and_the_tail_are_the_whole(size: int) -> None:
    stream = Stream(markdown_html)
    taken = []
    for at in range(0, len(TEXT), size):
        stream.feed(TEXT[at : at + size])
        taken.append(stream.take())
    assert "".join(taken) == stream.taken
    assert stream.taken + stream.tail == stream.html == markdown_html(TEXT)
    assert stream.words == TEXT


def test_nothing_is_lost_between_takes() -> None:
    stream = Stream(markdown_html)
    stream.feed("one\n\n")
    stream.take()
    stream.feed("two")
    assert stream.taken == "<p>one</p>"
    assert stream.html == "<p>one</p><p>two</p>"


def test_plain_words_are_taken_at_once() -> None:
    stream = Stream(str.upper, plain=True)
    stream.feed("a\n\nb")
    assert stream.take() == "A\n\nB"
    assert stream.tail == ""


@pytest.mark.parametrize("opening", ["", "```\n"])
def test_each_sign_is_rendered_a_bounded_number_of_times(opening: str) -> None:
    """An answer without a single blank line, however long, must not be rendered again with every delta."""
    rendered = 0

    def render(text: str) -> str:
        nonlocal rendered
        rendered += len(text)
        return text

    stream = Stream(render)
    stream.feed(opening)
    for _ in range(500):
        stream.feed("some words of an answer " * 8 + "\n")
        stream.take()
    assert rendered < 500 * 5000
    assert stream.html.replace("```\n", "").replace("\n", "") == "some words of an answer " * 4000


def test_megabytes_at_once() -> None:
    stream = Stream(str)
    stream.feed("x" * 3_000_000 + "\n" + "y\n" * 500_000)
    stream.take()
    assert len(stream.html) >= 4_000_000
