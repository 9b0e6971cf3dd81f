"""The lines that a call changes in files, as a diff counts them."""

from pathlib import Path

import pytest
from tests.support.calls import acted

from assent.tools.files_written import watched
from assent.tools.lines_changed import LARGEST, lines_changed, text_at
from assent.tools.python import python_tool


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (b"", b"", 0),
        (b"", b"a\nb\n", 2),
        (b"a\nb\n", b"", 2),
        (b"a\nb\nc\n", b"a\nx\nc\n", 2),
        (b"a\nb\nc\n", b"a\nc\n", 1),
        (b"a\nb\n", b"b\na\n", 2),
        (b"a\0", b"a", None),
        (None, b"a", None),
    ],
)
def test_lines_are_taken_away_and_added(before: bytes | None, after: bytes | None, changed: int | None) -> None:
    assert lines_changed(before, after) == changed


def test_of_many_lines_it_counts_how_often_each_is_there() -> None:
    lines = [b"%d" % number for number in range(3_000)]
    assert lines_changed(b"\n".join(lines), b"\n".join(lines[::-1])) == 0
    assert lines_changed(b"\n".join(lines), b"\n".join([b"x", *lines[1:-1], b"y"])) == 4


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"a" * (LARGEST + 1))
    assert text_at(str(tmp_path / "large")) is None
    assert text_at(str(tmp_path)) is None
    assert text_at(str(tmp_path / "none")) == b""


def test_a_file_is_compared_with_what_stood_in_it_before_the_code(tmp_path: Path) -> None:
    old, new, gone = tmp_path / "old.txt", tmp_path / "new.txt", tmp_path / "gone.txt"
    old.write_text("a\nb\nc\n")
    gone.write_text("a\n")
    with watched() as files:
        old.write_text("a\n")
        old.write_text("a\nB\nc\n")
        new.write_text("1\n2\n")
        gone.unlink()
    assert files.lines == 2 + 2 + 1
    assert not files.read


def test_a_call_says_how_many_lines_it_changed(tmp_path: Path) -> None:
    output = acted(
        python_tool(dict), code=f"import pathlib; pathlib.Path({str(tmp_path / 'a')!r}).write_text('1\\n2\\n')"
    )
    assert output.touched is not None
    assert output.touched["lines"] == 2
    assert "lines" not in (acted(python_tool(dict), code="1").touched or {})
