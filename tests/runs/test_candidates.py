"""The JSON among the words of a model."""

import pytest

from assent.runs.candidates import candidates


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', [['{"a": 1}']]),
        ('x\n```json\n{"a": 1}\n```\nor\n```\n{"a": 2}\n```', [['{"a": 1}'], ['{"a": 2}']]),
        ('either {"a": {"b": 1}} or {"a": 2}, {friend}', [['{"a": {"b": 1}}'], ['{"a": 2}']]),
        ('cut off: {"a": {"b": 1}, "c', []),
        ("no object", []),
    ],
)
def test_the_text_else_what_is_fenced_else_objects_among_words(text: str, found: list[list[str]]) -> None:
    assert candidates(text, "") == found


def test_a_key_that_was_left_out_is_put_around_the_value() -> None:
    assert candidates("[1]", "value") == [['{"value": [1]}']]
    assert candidates('{"a": 1}', "value") == [['{"value": {"a": 1}}']]


def test_an_object_that_has_the_key_may_be_meant_either_way() -> None:
    assert candidates('{"value": 1}', "value") == [['{"value": 1}', '{"value": {"value": 1}}']]
