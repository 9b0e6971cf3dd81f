"""Many conditions asked at once say what each of them says by itself; and what a tool gets only tightens."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.policies import ruled

from assent.core.reading import Reading
from assent.policy.condition import parse
from assent.policy.decide import decide
from assent.policy.facts import Call
from assent.policy.host import host_of
from assent.policy.path import Ground
from assent.policy.rule import by_rule
from assent.policy.sieve import sieve

_ORDER = {"allow": 0, "ask": 1, "deny": 2}
_SAID = ["1", "2", "2.0", "-1", "10", "'a'", "'b'", "''", "true", "false", "'2'"]
_FOUND = [
    1,
    2,
    2.0,
    "2",
    "1e1",
    " 2",
    Decimal(10),
    -1,
    "a",
    "b",
    "",
    True,
    False,
    None,
    [],
    {},
    "nan",
    float("inf"),
    1.5,
    "https://a.com/x",
    "b.com:8443",
    "c.b.com",
    "https://c.d.a.com",
    "javascript:b.com",
]

comparisons = st.one_of(
    st.builds(
        lambda name, sign, value: f"{name} {sign if value.strip('-')[0].isdigit() else '=='} {value}",
        st.sampled_from(["x", "y", "x.z"]), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.sampled_from(_SAID),
    ),
    st.builds("x {} {}".format, st.sampled_from(["==", "!="]), st.sampled_from(_SAID)),
    st.sampled_from(["x > 1 and y == 'a'", "x in [1, 'a']", "not x == 2", "x not in [2]", "host == 'a.com'",
                     "host in ['*.a.com', 'b.com:8443']", "x.host != 'b.com'", "x.host in ['a.com', '*.b.com']",
                     "x within data/"]),
)  # fmt: skip


def _may_hold(text: str) -> bool:
    try:
        return bool(parse(text))
    except ValueError:  # some of what is put together can never hold
        return False


texts = st.recursive(
    comparisons,
    lambda inner: (
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("not ({})".format, inner)
    ),
    max_leaves=4,
).filter(_may_hold)
values = st.sampled_from(_FOUND)
arguments = st.fixed_dictionaries(
    {}, optional={"host": values, "x": values | st.fixed_dictionaries({"z": values}), "y": values}
)


@given(st.lists(st.tuples(texts, st.booleans()), max_size=20), arguments)
def test_what_they_say_together_is_what_each_says(asked: list[tuple[str, bool]], found: dict[str, Any]) -> None:
    conditions = [(parse(text), idle) for text, idle in asked]
    one_by_one = {
        place: held
        for place, (condition, idle) in enumerate(conditions)
        if (held := condition.test(found, Ground("/"))) is not idle
    }
    assert dict(sieve(conditions).speaking(found, Ground("/"))) == one_by_one


def test_a_host_is_read_once_for_all_conditions_that_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"url.host in ['x{number}.com', '*.y{number}.com']" for number in range(200)]
    asked, read = sieve([(parse(text), False) for text in texts]), list[str]()
    for module in ("sieve", "host"):
        monkeypatch.setattr(f"assent.policy.{module}.host_of", lambda text: read.append(text) or host_of(text))
    assert asked.speaking({"url": "https://a.com/"}, Ground("/")) == []
    assert read == ["https://a.com/"]
    assert asked.speaking({"url": "https://z.y7.com/"}, Ground("/")) == [(7, True)]
    assert len(read) == 3  # once more by the one that may hold


@pytest.mark.parametrize("idle", [True, False])
def test_no_condition_of_several_comparisons_is_passed_over(*, idle: bool) -> None:
    first = ["x > 1", "x <= 2", "x == 'a'", "x != 2", "x in [2, 'a']", "not x >= 2", "x not in [2, 'b']", "x within a"]
    second = ["y == true", "not y != 'a'", "y not in [1, 'b']"]
    joined = [f"{sign} {a} {word} {b}" for a in first for b in second for word in ("and", "or") for sign in ("", "not")]
    conditions = [(parse(text), idle) for text in [*first, *second, *joined]]
    assert all(condition.holds and condition.fails for condition, _ in conditions if "within" not in condition.text)
    asked, ground = sieve(conditions), Ground("/")
    for x, y in itertools.product(_FOUND, [1, "a", "b", True, None]):
        found = {"x": x, "y": y}
        said = {place: condition.test(found, ground) for place, (condition, _) in enumerate(conditions)}
        assert dict(asked.speaking(found, ground)) == {place: held for place, held in said.items() if held is not idle}


def test_one_without_a_condition_always_holds() -> None:
    assert sieve([(None, False), (None, True), (parse("x > 1"), False)]).speaking({"x": 2}, Ground("/")) == [
        (2, True),
        (0, True),
    ]


def test_what_rules_say_stands_in_their_order() -> None:
    whens = ["amount > 50", "to == 'x'", "amount > 10"]
    rules = [f'[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "{when}"\n' for when in whens]
    said = by_rule(Call("pay", {"amount": 60, "to": "x"}), ruled("".join(rules)))
    assert said is not None
    assert said.reason == ", and ".join([f"policy asks for pay where {when}" for when in whens])


modes = st.sampled_from(["auto", "ask", "disabled"])


@given(st.lists(st.tuples(texts, modes), min_size=1, max_size=5, unique_by=lambda item: item[0]), arguments, arguments)
def test_a_call_is_as_strictly_decided_as_the_stricter_of_its_two_forms(
    rules: list[tuple[str, str]], written: dict[str, Any], gets: dict[str, Any]
) -> None:
    facts = ruled("".join([f'[[rule]]\ntool = "pay"\nmode = "{mode}"\nwhen = "{text}"\n' for text, mode in rules]))
    each = [decide(Call("pay", form), facts).name for form in (written, gets)]
    both = decide(Call("pay", written, reading=Reading(written, {}, gets)), facts).name
    assert _ORDER[both] == max(_ORDER[name] for name in each)
