"""What a policy file says of masks and of what is local only."""

import pytest

from assent.core.errors import ConfigError
from assent.core.mask import Mask
from assent.policy.document import read
from assent.policy.masks import LocalOnly


def section(name: str, text: str) -> tuple[object, ...]:
    return read(text, "policy.toml", "workspace").sections[name]


def test_masks_are_read_with_their_lines() -> None:
    text = '[[mask]]\nkind = "email"\n\n[[mask]]\ncolumns = "*_phone"\nrestore = true\n[[mask]]\ncolumn = "pay"\n'
    assert section("mask", text) == (
        Mask(kind="email", rule="policy.toml:1"),
        Mask("_phone".strip("_"), columns=("*_phone",), restore=True, rule="policy.toml:4"),
        Mask("pay", columns=("pay",), rule="policy.toml:7"),
    )


def test_names_that_are_local_only_are_read_with_their_lines() -> None:
    text = '[[local_only]]\nvariable = "patients"\n[[local_only]]\nvariables = "pat_*"\n'
    assert section("local_only", text) == (
        LocalOnly("patients", "policy.toml:1"),
        LocalOnly("pat_*", "policy.toml:3"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[mask]]\nkind = "emial"', "policy.toml:2: 'emial' is no kind"),
        ('[[mask]]\nknd = "email"', "policy.toml:2: unknown key 'knd'"),
        ('[[mask]]\ncolumn = "*_phone"', "policy.toml:2: '.*' is a pattern"),
        ('[[mask]]\ncolumns = "phone"', "policy.toml:2: 'phone' is no pattern"),
        ('[[mask]]\nkind = "email"\nrestore = "yes"', "policy.toml:3: restore must be true or false"),
        ('[[mask]]\nregex = "("', "policy.toml:2: '\\(' is no regular expression"),
        ("[[mask]]\nname = 'x'", "policy.toml:1: A mask says one thing"),
        ('[[local_only]]\nvariable = "a*"', "policy.toml:2: 'a\\*' is a pattern"),
        ("[[local_only]]\nvariable = 3", "policy.toml:2: variable must be a name"),
        ("[[local_only]]\nvariable = 'a'\nvariables = 'b*'", "policy.toml:3: give one of them"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(text, "policy.toml", "workspace")
