"""The rules of `[retention]`, and what makes no sense in them."""

from pathlib import Path
from typing import Any

import pytest

from assent.core import config
from assent.core.errors import ConfigError
from assent.core.retention import Retention, read


@pytest.mark.parametrize(
    ("text", "hours"), [("90d", 90 * 24), ("12 h", 12), ("2w", 14 * 24), ("1y", 365 * 24), ("0d", 0)]
)
def test_how_long_payloads_are_kept_is_read_as_people_write_it(text: str, hours: int) -> None:
    assert read({"payloads": text}) == Retention(hours * 3600.0)


def test_without_rules_everything_is_kept_for_ever() -> None:
    assert read({}) == Retention(None, ())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"payloads": 90}, 'write how long they are kept, such as "90d"'),
        ({"payloads": "ninety days"}, "retention.payloads is 'ninety days'"),
        ({"payload": "90d"}, "Unknown setting retention.payload; there are payloads and keep"),
        ({"keep": "r1"}, "must be a list of runs and agents"),
        ({"keep": [""]}, "must be a list of runs and agents"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(table)


def test_the_rules_are_read_with_the_settings(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[retention]\npayloads = "4w"\nkeep = ["r7", "auditor"]\n')
    assert read(config.load(tmp_path).retention) == Retention(28 * 86400.0, ("r7", "auditor"))
    (tmp_path / "config.toml").write_text('[retention]\npayloads = "soon"\n')
    with pytest.raises(ConfigError, match="write how long"):
        config.load(tmp_path)
