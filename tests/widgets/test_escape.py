import pytest

from assent_widgets.escape import clean, clip, escape, hides, reveal


def test_markup_becomes_words() -> None:
    assert escape("<script>x</script>") == "&lt;script&gt;x&lt;/script&gt;"
    assert escape("""<img src=x onerror="a('b')">""") == "&lt;img src=x onerror=&quot;a(&#x27;b&#x27;)&quot;&gt;"
    assert escape("</pre>&amp;") == "&lt;/pre&gt;&amp;amp;"


@pytest.mark.parametrize(
    "coloured",
    ["\x1b[1;31mred\x1b[0m", "\x1b]8;;http://x\x07red\x1b]8;;\x1b\\", "\x9b31mred", "\x1b(Bred\x1b=", "red\x1b[2K"],
)
def test_terminal_escapes_are_taken_out(coloured: str) -> None:
    assert clean(coloured) == "red"


def test_an_escape_that_never_ends_hides_nothing() -> None:
    assert clean("a\x1b]0;title and the rest") == "a⟨U+001B⟩]0;title and the rest"


CONTROLS = ["\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x08", "\x0c", "\u2028", "\ud800", "\U000e0041"]
BLANK = [
    "\u3164",
    "\u115f",
    "\uffa0",
    "\u2800",
    "\u034f",
    "\u180e",
    "\ufe00",
    "\ufe0f",
    "\u200c",
    "\u200d",
    "\U000e0100",
]


@pytest.mark.parametrize("sign", [*CONTROLS, *BLANK])
def test_hidden_signs_are_written_out(sign: str) -> None:
    assert hides(f"a{sign}b")
    assert reveal(f"a{sign}b") == f"a⟨U+{ord(sign):04X}⟩b"
    reveal(f"a{sign}b").encode("utf-8")


def test_a_return_begins_a_line_as_python_reads_it() -> None:
    assert reveal("# harmless\rimport os\r\nx") == "# harmless\nimport os\nx"


@pytest.mark.parametrize(
    "text",
    [
        "Zürich\tµ",
        "日本語",
        "👩\u200d👧",
        "سلام\u200c",
        "❤\ufe0f\u200d🔥 1\ufe0f\u20e3 ⚠\ufe0e",
        "a\u0301",
        "line\nline",
    ],
)
def test_every_language_stays_as_it_is(text: str) -> None:
    assert not hides(text)
    assert clean(text) == text


@pytest.mark.parametrize("row", ["é\u200d\u200c\u200d", "⚠\ufe0f\ufe0e\ufe0f"])
def test_signs_that_belong_to_writing_are_written_out_where_they_stand_in_rows(row: str) -> None:
    assert reveal(row).count("⟨U+") == len(row) - 2


def test_clip_keeps_beginning_and_end_and_says_what_is_missing() -> None:
    text = "a" * 5_000_000 + "END"
    short = clip(text, 300)
    assert short.startswith("a" * 200 + "\n… ")
    assert short.endswith("END")
    assert "4,999,703 characters left out" in short
    assert clip("short", 300) == "short"
