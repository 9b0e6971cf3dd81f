"""Modes of a run: of several the tightest holds, and the layers of the settings can only tighten."""

from pathlib import Path

import pytest

from assent.core.config import Config, from_environment, from_file
from assent.core.errors import ConfigError
from assent.core.run_mode import tightest


def test_the_tightest_holds() -> None:
    assert tightest() == "auto"
    assert tightest("", "auto") == "auto"
    assert tightest("strict", "auto", "") == "strict"
    assert tightest("strict", "dry-run") == "dry-run"
    assert tightest("dry-run", "loose") == "loose"  # which is refused by whoever reads it


@pytest.mark.parametrize(
    ("below", "above", "holds"),
    [("auto", "strict", "strict"), ("strict", "auto", "strict"), ("dry-run", "strict", "dry-run")],
)
def test_a_file_only_tightens(tmp_path: Path, below: str, above: str, holds: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'mode = "{above}"')
    assert from_file(Config(mode=below), path).mode == holds


def test_the_environment_only_tightens() -> None:
    assert from_environment(Config(mode="strict"), {"ASSENT_MODE": "auto"}).mode == "strict"
    assert from_environment(Config(mode="strict"), {"ASSENT_MODE": "dry-run"}).mode == "dry-run"


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('mode = "stric"')
    with pytest.raises(ConfigError, match="auto, strict or dry-run"):
        from_file(Config(), path)
