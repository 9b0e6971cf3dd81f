"""Typed answers as HTML and as text."""

from assent_widgets.typed import typed_html, typed_text


def test_rows_are_a_table() -> None:
    answer = '{"rows": [{"island": "Dream", "birds": 124}, {"island": "<b>", "birds": null}]}'
    assert typed_text(answer).splitlines()[0].split() == ["island", "birds"]
    assert "<table" in typed_html(answer)
    assert "&lt;b&gt;" in typed_html(answer)


def test_a_value_is_shown_as_itself() -> None:
    assert typed_text('{"value": 42}') == "42"
    assert typed_text('{"value": "Dream"}') == "Dream"
    assert typed_text('{"species":"Gentoo","mass":5}') == '{"species": "Gentoo", "mass": 5}'
    assert typed_text('{"value": ["' + 60 * "a" + '", "' + 60 * "b" + '"]}').count("\n") == 3


def test_what_is_no_json_is_shown_as_it_is() -> None:
    assert typed_text("none") == "none"
    assert typed_html("<i>") == typed_html('"<i>"')
    assert "<i>" not in typed_html("<i>")
