"""A page is what a reader sees of it, under its headings, by the lines of its source."""

import pytest

from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.html import chunks

_PAGE = """<!DOCTYPE html>
<html><head><title>A &amp; B</title>
<style>p { color: red }</style>
<script>if (a < b) document.write("<h1>no</h1> <!--")</script>
</head><body class="x > y">
<!-- <h1>nor this</h1> -->
<h1>Guide</h1>
<p>First <b>bold</b>, then
more.</p><p>Second<br/>line</p>
<h2 id=i>In<i>stall</i></h2>
<ul><li>one<li>two</ul>
<table><tr><td>a</td><td>b</td></tr></table>
<pre>
x = 1

  y = 2
</pre>
</body></html>"""


def test_a_page_is_its_text_under_its_headings() -> None:
    assert list(chunks(_PAGE)) == [
        Chunk("A & B", "A & B", 2, 2),
        Chunk("Guide", "Guide\n\nFirst bold, then more.\n\nSecond\nline", 7, 9),
        Chunk("Guide > Install", "Install\n\none\ntwo\n\na b\n\nx = 1\n\n  y = 2", 10, 16),
    ]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("a < b and c > d", "a < b and c > d"),
        ("if a<b: <i>x</i>", "if a<b: x"),
        ("<a title='x > y' href=\"z\">link</a>", "link"),
        ("<a href='unclosed>text</a>", "text"),
        ("<p>open", "open"),
        ("<![foo[ x ]]>text", "text"),
        ("<?php echo ?>text", "text"),
        ("<!-->text<!-- never closed", "text"),
        ("&#" + "9" * 5_000 + ";", None),
        ("&nbsp;&lt;p&gt; &unknown;", "<p> &unknown;"),
        ("<SCRIPT>x</SCRIPT >text", "text"),
        ("", None),
    ],
)
def test_markup_that_is_odd_is_read_as_well_as_it_can(source: str, seen: str | None) -> None:
    found = "".join(one.text for one in chunks(source))
    assert found == seen if seen else found == "".join(source.split())[: len(found)]
