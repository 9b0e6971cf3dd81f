"""Every measurement runs, at its smallest; no time is asserted."""

import importlib
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import preview, report
from bench.__main__ import NAMES, main
from bench.report import Figure
from bench.sizes import TINY

from assent.core.preview import Preview

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", NAMES)
def test_each_measurement_gives_figures(name: str) -> None:
    figures = importlib.import_module(f"bench.{name}").measure(TINY)
    assert figures
    for figure in figures:
        assert figure.name
        assert figure.unit
        assert math.isfinite(figure.value)
        assert figure.value >= 0  # three agents may need no more memory than there was
        assert figure.floor is None or figure.floor >= 0


def test_an_unknown_measurement_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["steps", "guesses"])
    assert "no measurement guesses" in capsys.readouterr().err


def test_the_table_and_the_file_say_what_was_met_and_missed(tmp_path: Path) -> None:
    figures = [
        Figure("fast", 2.0, "ms", floor=1.0, aim=3),
        Figure("slow", 1234.5, "ms", floor=500.0, aim_ratio=1.5),
        Figure("many", 900.0, "a second", least=1_000),
        Figure("free", 0.5, "s"),
    ]
    lines = report.table(figures).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["fast", "slow", "many", "free"]
    assert lines[2].split("|")[-2].strip() == "met"
    assert lines[3].split("|")[-2].strip() == "missed"
    assert "1,234 ms" in lines[3]
    assert "2.47" in lines[3]
    assert [cell.strip() for cell in lines[4].split("|")[-3:-1]] == ["≥ 1,000", "missed"]
    path = tmp_path / "deep" / "bench.json"
    report.write(path, figures)
    kept = json.loads(path.read_text("utf-8"))
    assert [figure["verdict"] for figure in kept["figures"]] == ["met", "missed", "missed", ""]
    assert kept["machine"]["duckdb"]


@pytest.mark.skipif(sys.platform != "linux", reason="a copy is confined on Linux only")
def test_a_preview_that_was_not_tried_on_a_copy_misses_the_aim_however_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(*_: Any) -> Preview:
        return Preview("text", "Read from the code's text.")

    assert {figure.verdict for figure in preview.measure(TINY)[:2]} == {"met"}
    monkeypatch.setattr(preview, "foresee", read)
    assert {figure.verdict for figure in preview.measure(TINY)[:2]} == {"missed"}
