"""Whatever rules are added in whatever layer, no call is decided more loosely than without them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.policies import PRIVILEGES, ruled

from assent.core.errors import ConfigError
from assent.policy.decide import decide
from assent.policy.facts import Call, Facts
from assent.policy.verdict import Ask, Decision

CONDITIONS = ("amount > 10", "not amount <= 10", 'to in ["a"]', "path within data", 'host == "a.b"', "a == 1 or b == 2")
VALUES = (5, 50, "20", "x", None, True, "a", "../x", "https://a.b")

rules = st.fixed_dictionaries(
    {"mode": st.sampled_from(("auto", "ask", "disabled"))},
    optional={
        "when": st.sampled_from(CONDITIONS), "agent": st.sampled_from(("analyst", "other")),
        "user": st.sampled_from(("ana", "ben")), "approvers": st.integers(1, 3), "who": st.just('["ana", "ben", "cy"]'),
    },
)  # fmt: skip
tools = st.one_of(
    st.sampled_from(sorted(PRIVILEGES)).map(lambda name: ("tool", name)),
    st.sampled_from(("*", "p*", "?ook")).map(lambda name: ("tools", name)),
)
sections = st.one_of(
    st.tuples(tools, rules).map(lambda pair: written(*pair)),
    st.sampled_from(("read_only", "execute_risky")).map(lambda level: f'[agents."*"]\nceiling = "{level}"'),
)
calls = st.builds(
    Call,
    st.sampled_from([*PRIVILEGES, "unheard_of"]),
    st.dictionaries(st.sampled_from(("amount", "to", "path", "host", "a", "b")), st.sampled_from(VALUES)),
)


def written(tool: tuple[str, str], values: dict[str, Any]) -> str:
    lines = [f'{tool[0]} = "{tool[1]}"']
    for name, value in values.items():
        lines.append(f"{name} = {value}" if name in ("approvers", "who") else f"{name} = '{value}'")
    return "\n".join(["[[rule]]", *lines, ""])


def under(*texts: str) -> Facts | None:
    """The facts under these layers; None where a text is refused, which loosens nothing either."""
    try:
        return ruled(texts[0], organisation=texts[1])
    except ConfigError:
        return None


def height(decision: Decision) -> tuple[int, int, int]:
    """How strict it is: denied or asked or allowed, by how many, and by how few."""
    if not isinstance(decision, Ask):
        return (0 if decision.name == "allow" else 2, 0, 0)
    return 1, decision.approvers, -len(decision.who) if decision.who else -1000


@settings(max_examples=200, deadline=None)
@given(calls, sections, sections, sections)
def test_no_rule_loosens_what_holds_without_it(call: Call, first: str, second: str, third: str) -> None:
    least = decide(call, ruled())
    for more, fewer in [
        ((first, ""), ("", "")),
        ((first, second), (first, "")),
        ((f"{first}\n{third}", ""), (first, "")),
    ]:
        facts, before = under(*more), under(*fewer)
        if facts is None or before is None:
            continue
        assert height(decide(call, facts)) >= height(decide(call, before)) >= height(least)
