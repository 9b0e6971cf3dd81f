"""Examples are read like a policy: with lines, and with numbers as a model's JSON has them."""

import pytest

from assent.core.errors import ConfigError
from assent.policy.example import examples


def test_an_example_is_a_call_and_what_is_expected_of_it() -> None:
    [first, second] = examples(
        '[[example]]\ncall = "pay"\narguments = { amount = 0.5, to = "x" }\nexpect = "ask"\n'
        '[[example]]\ncall = "look"\nagent = "a"\nuser = "b"\nexpect = "allow"',
        "e.toml",
    )
    assert (first.call, first.expect, first.arguments) == ("pay", "ask", {"amount": 0.5, "to": "x"})
    assert isinstance(first.arguments["amount"], float)
    assert (second.entry.line, second.agent, second.user, second.arguments) == (5, "a", "b", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "e.toml has no examples"),
        ('[[rule]]\ntool = "x"', "e.toml:1: unknown section 'rule'"),
        ('[[example]]\nexpect = "ask"', "e.toml:1: call is None"),
        ('[[example]]\ncall = "x"\nexpect = "asks"', "e.toml:3: expect is 'asks'; did you mean 'ask'?"),
        ('[[example]]\ncall = "x"\nexpect = "ask"\narguments = 5', "e.toml:4: arguments are a table"),
        ('[[example]]\ncall = "x"\nexpect = "ask"\nargs = {}', "e.toml:4: unknown key 'args'"),
    ],
)
def test_what_is_no_example_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        examples(text, "e.toml")
    assert str(raised.value).startswith(expected)
