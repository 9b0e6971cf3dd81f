"""The sections `[[budget]]` and `[[waiver]]`: read exactly, refused with the line."""

from decimal import Decimal

import pytest

from assent.core.budget import Budget
from assent.core.errors import ConfigError
from assent.core.waiver import EVERYBODY
from assent.policy.document import read
from assent.policy.entry import Layer

WHOLE = """
[[budget]]
name = "daily"
per = ["day", "user"]
agent = "analyst"
tokens = 200_000
money = 0.10
seconds = 600
warn_at = 0.5
"""


def test_a_budget_is_read_exactly() -> None:
    [budget] = read(WHOLE, "policy.toml", "workspace").sections["budget"]
    limits = {"tokens": Decimal(200_000), "money": Decimal("0.10"), "seconds": Decimal(600)}
    assert budget == Budget("daily", ("user", "day"), limits, agent="analyst", warn_at=Decimal("0.5"), rule=budget.rule)
    assert budget.rule == "policy.toml:2"
    assert budget.limits["money"] * 3 == Decimal("0.30")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("name = 'b'\nper = 'run'", "limits something"),
        ("per = 'run'\ncalls = 1", "needs a name"),
        ("name = 'b'\ncalls = 1", "says of what it is"),
        ("name = 'b'\nper = 'runs'\ncalls = 1", "did you mean 'run'"),
        ("name = 'b'\nper = ['run', 'day']\ncalls = 1", "stands alone"),
        ("name = 'b'\nper = 'run'\ncalls = 1.5", "a whole number of calls"),
        ("name = 'b'\nper = 'run'\nmoney = -1", "US dollars"),
        ("name = 'b'\nper = 'run'\nmoney = 0.0000000001", "US dollars"),
        ("name = 'b'\nper = 'run'\nmoney = true", "US dollars"),
        ("name = 'b'\nper = 'run'\nmoney = inf", "US dollars"),
        ("name = 'b'\nper = 'run'\ncalls = 1\nwarn_at = 80", "a share"),
        ("name = 'b'\nper = 'run'\ncals = 1", "did you mean 'calls'"),
        ("name = ' b'\nper = 'run'\ncalls = 1", "must be a name"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^policy\.toml:\d+: .*{said}"):
        read(f"[[budget]]\n{line}\n", "policy.toml", "workspace")


def test_two_budgets_of_one_name_are_refused() -> None:
    one = "[[budget]]\nname = 'b'\nper = 'run'\ncalls = 1\n"
    with pytest.raises(ConfigError, match=r"^policy\.toml:6: .*two budgets 'b'"):
        read(one + one, "policy.toml", "workspace")


WAIVER = "[[waiver]]\ntool = 'mail'\nreason = 'month end'\nuntil = 2026-11-30\n"


def test_the_organisations_file_gives_a_waiver() -> None:
    [waiver] = read(WAIVER, "policy.toml", "organisation").sections["waiver"]
    assert (waiver.tool, waiver.user, waiver.tenant) == ("mail", EVERYBODY, EVERYBODY)
    assert waiver.by == "organisation's policy.toml:1"
    assert f"{waiver.until:%Y-%m-%d %H:%M %Z}" == "2026-12-01 00:00 UTC"


@pytest.mark.parametrize("layer", ["workspace", "session"])
def test_no_other_file_may(layer: Layer) -> None:
    with pytest.raises(ConfigError, match=r"^policy\.toml:1: .*cannot stand in this file"):
        read(WAIVER, "policy.toml", layer)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("until = 2026-11-30\n", ""), "needs an end"),
        (("until = 2026-11-30", "until = '2h'"), "no end"),
        (("reason = 'month end'", ""), "needs a reason"),
        (("tool = 'mail'", "tool = '*'"), "is a pattern"),
        (("tool = 'mail'", "toll = 'mail'"), "did you mean 'tool'"),
    ],
)
def test_a_waiver_says_all_or_is_none(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^policy\.toml:\d: .*{said}"):
        read(WAIVER.replace(*change), "policy.toml", "organisation")
