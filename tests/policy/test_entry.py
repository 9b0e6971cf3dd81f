"""An error of a policy names the line of the key that is wrong, wherever the problem is found."""

import pytest

from assent.core.errors import ConfigError
from assent.policy.document import read
from assent.policy.entry import Layer

PAY = '[[rule]]\ntool = "pay"\nmode = "ask"\n'
VOLUME = '[[risk]]\ntool = "pay"\ncheck = "daily_volume"\nargument = "amount"\nlimit = 5\n'


@pytest.mark.parametrize(
    ("text", "line", "about"),
    [
        (f'{PAY}[[rule]]\ntool = "pay"\nmode = "disabled"', 6, "contradicts line 1"),
        (f"{PAY}[[rule]]\ntool = 'pay'\nmode = 'ask'\napprovers = 2", 7, "contradicts line 1"),
        (f'{PAY}\ntools = "p*"', 5, "tools = "),
        ('[[rule]]\ntool = "pay"\nmode = "disabled"\n\nwho = ["ana"]', 5, "nobody is asked"),
        ('[[mask]]\nname = "x"\nkind = "emial"', 3, "is no kind"),
        ('[[mask]]\nname = "x"\nregex = "["', 3, "no regular expression"),
        ('[[mask]]\nkind = "email"\nname = "x y"', 3, "is no name for a mask"),
        ('[[local_only]]\nvariable = "a"\n\nvariables = "b*"', 4, "one of them"),
        (VOLUME.replace("5", '"many"'), 5, "is no amount"),
        (f'{VOLUME}by = "planet"', 6, "by is 'planet'"),
        (f'{VOLUME}zone = "Mars/X"', 6, "no time zone"),
        ('[[risk]]\ntool = "pay"\ncheck = "blacklist"\nargument = "to"\nnames = "x"', 5, "list of names"),
    ],
)
def test_the_line_is_that_of_the_key(text: str, line: int, about: str) -> None:
    assert about in said(text, line)


@pytest.mark.parametrize(
    ("text", "line", "about"),
    [
        ('[[trust]]\nreason = "x"\nsource = "web:*"\nuntil = 2999-01-01', 3, "would trust whatever comes"),
        ('[[trust]]\nsource = "web:a.b"\nreason = "x"\nuntil = "soon"', 4, "is no end"),
        ('[[waiver]]\nreason = "x"\ntool = "p*"\nuntil = 2999-01-01', 3, "is a pattern"),
        ('[[waiver]]\ntool = "pay"\nreason = " "\nuntil = 2999-01-01', 3, "needs a reason"),
    ],
)
def test_so_it_is_in_the_organisation_s_file(text: str, line: int, about: str) -> None:
    assert about in said(text, line, "organisation")


def said(text: str, line: int, layer: Layer = "workspace") -> str:
    """What is wrong with a file, if it is said of that line."""
    with pytest.raises(ConfigError) as raised:
        read(text, "p.toml", layer)
    where, _, words = str(raised.value).partition(": ")
    assert where == f"p.toml:{line}"
    return words
