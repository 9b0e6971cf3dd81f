"""Data in JSON, YAML and TOML is chunks under the keys that lead to them."""

import json

from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.data import nested, tables


def test_small_data_is_one_chunk() -> None:
    assert list(nested('{\n  "a": 1,\n\n  "b": {}\n}')) == [Chunk("", '{\n  "a": 1,\n\n  "b": {}\n}', 1, 5)]


def test_what_a_key_holds_is_a_chunk_of_its_own_if_it_is_long() -> None:
    found = list(nested(json.dumps({"small": 1, "big": {"x": {"y": ["v"] * 500}, "z": 1}, "last": 2}, indent=2)))
    assert [one.title for one in found] == ["", *["big.x.y"] * 4, "big", ""]
    assert found[1].text.startswith('  "big": {\n    "x": {\n      "y": [')
    assert found[-1].text == '  "last": 2\n}'


def test_yaml_is_known_by_its_indentation() -> None:
    text = (
        "version: 1\nservices:\n" + "".join(f"  s{n}:\n    run: {'x' * 900}\n" for n in range(4)) + "volumes:\n  a: b\n"
    )
    assert [(one.title, one.first) for one in nested(text)] == [
        ("", 1),
        ("services.s0", 2),
        *[(f"services.s{n}", 3 + 2 * n) for n in range(1, 4)],
        ("", 11),
    ]


def test_json_in_one_line_is_cut_after_what_separates() -> None:
    found = list(nested(json.dumps([{"key": n} for n in range(1_000)])))
    assert len(found) > 5
    assert all(one.text[-1] in ",}]{" for one in found)


def test_tables_of_toml_are_sections() -> None:
    assert list(tables("a = 1\n[x.y]  # said\nb = [1]\n\nc = [\n 2]\n[[z]]\n")) == [
        Chunk("", "a = 1", 1, 1),
        Chunk("x.y", "[x.y]  # said\nb = [1]\n\nc = [\n 2]", 2, 6),
        Chunk("z", "[[z]]", 7, 7),
    ]
