"""`[ask]` in a policy: how long a question waits, who may answer it, and that layers only tighten."""

import pytest

from assent.core.errors import ConfigError
from assent.policy.asking import Asking, asked
from assent.policy.document import read
from assent.policy.verdict import Allow, Ask, Deny, strictest_of


def asking(text: str) -> tuple[Asking, ...]:
    return read(text, "policy.toml", "workspace").sections["ask"]


def test_it_says_how_long_a_question_waits_and_who_may_answer() -> None:
    [item] = asking('[ask]\nexpires = "24h"\napprovers = 2\nwho = ["ana", "ben", "eve"]')
    assert item == Asking(86_400.0, ("ana", "ben", "eve"), 2, "policy.toml:1")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('expires = "soon"', r'policy.toml:2: expires is .soon.: write a time such as "30m"'),
        ("expires = 24", "policy.toml:2: expires is 24"),
        ('expires = "0h"', "expires is .0h."),
        ('who = "ana"', "who is .ana.: write names"),
        ("approvers = 0", "approvers is 0: write how many"),
        ("approvers = true", "approvers is True"),
        ('who = ["ana", "ana"]\napprovers = 2', "approvers is 2, and who names 1: nothing could be approved"),
        ('expire = "24h"', "policy.toml:2: unknown key 'expire'; did you mean 'expires'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        asking(f"[ask]\n{line}")


def test_every_layer_tightens_and_none_loosens() -> None:
    layers = [Asking(60.0, ("ana", "ben"), 1), Asking(3600.0, ("ben", "ana", "eve"), 2)]
    put = asked(Ask("it is risky", expires=90.0), layers)
    assert isinstance(put, Ask)
    assert (put.expires, put.who, put.approvers, put.personal, put.lasting) == (60.0, ("ana", "ben"), 2, True, False)


def test_a_question_that_nobody_may_answer_is_a_denial() -> None:
    assert isinstance(asked(Ask("risky", who=("ana",)), [Asking(who=("ben",))]), Deny)
    assert isinstance(strictest_of([Ask("one", who=("ana",)), Ask("other", who=("ben",))]), Deny)
    assert isinstance(strictest_of([Ask("one", who=("ana", "ben")), Ask("other", 2, who=("ben", "eve"))]), Deny)


def test_questions_of_several_voices_become_the_strictest_of_them() -> None:
    put = strictest_of(
        [Ask("one", 2, expires=90.0), Ask("other", who=("ana", "ben", "eve"), expires=60.0), Allow("yes")]
    )
    assert put == Ask("one, and other", 2, False, who=("ana", "ben", "eve"), expires=60.0)


@pytest.mark.parametrize("decision", [Allow("yes"), Deny("no")])
def test_what_is_no_question_stays_what_it_is(decision: Allow | Deny) -> None:
    assert asked(decision, [Asking(60.0, ("ana",), 2)]) is decision
