"""A policy file is read with its lines; what is no policy is refused with the line."""

from decimal import Decimal
from typing import Any

import pytest

from assent.core.errors import ConfigError
from assent.policy.document import from_values, read
from assent.policy.entry import Entry

SECTIONS = dict.fromkeys(("rule", "agents", "ask"), tuple)

TEXT = '''# [[nope]]
[[rule]]
tool = "pay"   # [[rule]]
when = """
[[rule]]
mode = "x" """
[[rule]]
  tools = [
  "a",
  ["b"],
]
'mode' = "ask"
limit = 0.1

[agents."a b"]
ceiling = 1
[ask]
who.first = 'x = "'
'''


def entries(text: str) -> dict[str, tuple[Entry, ...]]:
    return dict(read(text, "p.toml", "workspace", SECTIONS).sections)


def test_every_entry_and_key_knows_its_line() -> None:
    found = entries(TEXT)
    assert [item.line for item in found["rule"]] == [2, 7]
    assert [dict(item.lines) for item in found["rule"]] == [
        {"tool": 3, "when": 4},
        {"tools": 8, "mode": 12, "limit": 13},
    ]
    [agent], [ask] = found["agents"], found["ask"]
    assert (agent.line, agent.name, dict(agent.values)) == (15, "a b", {"ceiling": 1})
    assert (ask.line, dict(ask.lines)) == (17, {"who": 18})


def test_line_ends_of_windows_change_nothing() -> None:
    assert [item.line for item in entries(TEXT.replace("\n", "\r\n"))["rule"]] == [2, 7]


def test_a_number_with_a_point_is_exact() -> None:
    assert entries(TEXT)["rule"][1].values["limit"] == Decimal("0.1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1", "p.toml:1: 'x' is in no section"),
        ("\n\nrule = [{tool = 1}]", "p.toml:3: 'rule' is in no section"),
        ("\n[rule]\nmode = 1", "p.toml:2: this is no section of a policy: write [[rule]]."),
        ("[[rule]]\n[rule.more]", "p.toml:2: this is no section of a policy: write [[rule]]."),
        ("[[ask]]", "write [ask]."),
        ("[agents]\nx.ceiling = 1", "write [agents.NAME]."),
        ("[agents.x]\na = 1\n[agents.x.y]", "p.toml:3: this is no section of a policy: write [agents.NAME]."),
        ("\n[[ruel]]", "p.toml:2: unknown section 'ruel'; did you mean 'rule'?"),
        ("[[rule]]\nmode =", "p.toml:2: Invalid value (at end of document); this is not TOML."),
        ("[[rule]]\nmode = ?", "p.toml:2: Invalid value; this is not TOML."),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        entries(text)
    assert expected in str(raised.value)


def test_a_text_that_ends_in_quotes_hides_no_section() -> None:
    text = '[[rule]]\nwhen = """a""""\n[[rule]]\nwhen = """"b"""""\n[[rule]]\nwhen = \'\'\'c\'\'\'\'\n[ask]\n'
    found = entries(text)
    assert [item.line for item in found["rule"]] == [1, 3, 5]
    assert found["ask"][0].line == 7


def test_values_from_python_are_read_like_a_file() -> None:
    values = {"rule": [{"mode": "ask"}, {"mode": "auto"}], "agents": {"x": {"ceiling": 1}}, "ask": {"who": []}}
    made = from_values(values, "session", "session", SECTIONS)
    assert [(item.rule, dict(item.values)) for item in made.sections["rule"]] == [
        ("session:1", {"mode": "ask"}),
        ("session:2", {"mode": "auto"}),
    ]
    assert made.sections["agents"][0].name == "x"
    assert [made.sections[name][0].line for name in ("agents", "ask")] == [3, 4]


@pytest.mark.parametrize("values", [{"rule": {"mode": "ask"}}, {"rule": ["ask"]}, {"ask": ["x"]}, {"nope": [{}]}, [1]])
def test_values_of_another_shape_are_refused(values: Any) -> None:
    with pytest.raises(ConfigError, match=r"session"):
        from_values(values, "session", "session", SECTIONS)


def test_the_digest_knows_what_is_said_and_not_how_it_is_laid_out() -> None:
    first = read('[[rule]]\nmode = "ask"', "a", "workspace", SECTIONS)
    assert first.digest == read('# why\n\n[[rule]]\nmode="ask"\n', "b", "workspace", SECTIONS).digest
    assert first.digest != read('[[rule]]\nmode = "auto"', "a", "workspace", SECTIONS).digest


def test_a_line_is_called_after_its_layer() -> None:
    assert Entry({}, 12, "/w/policy.toml").rule == "policy.toml:12"
    assert Entry({}, 12, "/etc/p.toml", "organisation").rule == "organisation's policy.toml:12"
