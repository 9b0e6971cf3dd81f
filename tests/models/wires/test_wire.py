"""What all wire formats share."""

import json

import pytest

from assent.models.wires.wire import arguments_of, dump


@pytest.mark.parametrize("text", ["", "{}"])
def test_no_arguments(text: str) -> None:
    assert arguments_of(text) == {}


def test_arguments() -> None:
    assert arguments_of('{"query": "SELECT 1", "share": 0.25, "n": 3}') == {"query": "SELECT 1", "share": 0.25, "n": 3}


@pytest.mark.parametrize(
    "text", ['{"query": "SEL', "[1]", "7", "null", '{"x": NaN}', '{"x": [-Infinity]}', '{"x": 1e999}', '{"a":' * 5000]
)
def test_what_is_no_object_of_json_is_wrapped_and_can_be_written(text: str) -> None:
    assert arguments_of(text) == {"invalid": text}
    assert json.loads(dump(arguments_of(text))) == {"invalid": text}
