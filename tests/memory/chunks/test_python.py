"""Functions and classes of Python are chunks under their qualified names."""

import ast
import warnings

import pytest

from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.python import chunks

_LONG = '        """' + "It says much. " * 40 + '"""\n'


def test_each_definition_is_a_chunk_with_its_decorators_and_remarks() -> None:
    text = (
        "import a\n\nX = 1\n# said\n# twice\n@a.b(\n    1)\n@c\nasync def f():\n    pass\n"
        "class C:\n    def m(self): ...\nY = f()\n"
    )
    assert list(chunks(text)) == [
        Chunk("", "import a\n\nX = 1", 1, 3),
        Chunk("f", "# said\n# twice\n@a.b(\n    1)\n@c\nasync def f():\n    pass", 4, 10),
        Chunk("C", "class C:\n    def m(self): ...", 11, 12),
        Chunk("", "Y = f()", 13, 13),
    ]


def test_a_string_that_ends_like_a_remark_stays_where_it_is() -> None:
    assert list(chunks('def f():\n    """\n# said"""\ndef g(): pass')) == [
        Chunk("f", 'def f():\n    """\n# said"""', 1, 3),
        Chunk("g", "def g(): pass", 4, 4),
    ]


def test_a_class_that_is_too_long_is_its_methods() -> None:
    methods = "".join(f"    def m{n}(self):\n{_LONG}\n" for n in range(6))
    text = f"class C:\n    x = 1\n\n{methods}    class D:\n        def n(self): ...\n\n    y = 2\n"
    titles = [one.title for one in chunks(text)]
    assert titles == ["C.m0", "C.m1", "C.m2", "C.m3", "C.m4", "C.m5", "C.D", "C"]


def test_the_head_of_a_long_class_is_a_chunk_if_it_says_much() -> None:
    methods = "".join(f"    def m{n}(self):\n{_LONG}\n" for n in range(6))
    found = list(chunks(f"class C:\n{_LONG[4:]}\n{methods}"))
    assert [one.title for one in found] == ["C", *[f"C.m{n}" for n in range(6)]]


def test_a_function_that_is_too_long_is_cut_under_its_name() -> None:
    found = list(chunks("def f():\n" + "    if a:\n        b = 1\n\n" * 200))
    assert {one.title for one in found} == {"f"}
    assert [one.part for one in found] == list(range(1, len(found) + 1))
    assert all(one.text.startswith("    if a:") for one in found[1:])


@pytest.mark.parametrize(
    "broken",
    [
        "def f(:\n    pass\n\n\ndef g():\n    pass",
        "def f():\n    print 1\n\n\ndef g():\n    pass",
        "def f():\n    \x00\n\n\ndef g():\n    pass",
    ],
)
def test_what_does_not_parse_is_read_as_code_of_any_language(broken: str) -> None:
    assert [one.title for one in chunks(broken)] == ["f", "g"]


@pytest.mark.parametrize(
    "deep", ["(" * 100_000, "-" * 100_000 + "1", "a" + ".b" * 100_000, "[" * 90 + "]" * 90, "1" + "+1" * 50_000]
)
def test_deep_nesting_does_no_harm(deep: str) -> None:
    assert "".join(one.text for one in chunks(deep)) == deep


def test_what_only_a_generator_writes_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ast, "parse", lambda text: pytest.fail("parsed"))
    assert next(chunks(f"def f(): pass\n\nx = '{'x' * 1_000_000}'")).title == "f"


def test_a_name_of_any_length_is_a_title_of_some() -> None:
    assert {one.title for one in chunks(f"def {'f' * 100_000}(): pass")} == {"f" * 200}


def test_warnings_of_the_parser_are_not_shown() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        assert [one.title for one in chunks("def f():\n    return '\\d'")] == ["f"]
    assert not shown
