"""Several voices on one call become one decision, and never a milder one than the strictest of them."""

from assent.policy.verdict import Allow, Ask, Deny, strictest_of


def test_nobodys_word_is_a_denial() -> None:
    assert isinstance(strictest_of([None, None]), Deny)


def test_one_denial_outdoes_every_other_voice() -> None:
    assert strictest_of([Allow("a"), Deny("no"), Ask("b"), Deny("later")]) == Deny("no")


def test_a_question_outdoes_a_yes() -> None:
    assert strictest_of([Allow("a"), None, Ask("b", approvers=2)]) == Ask("b", approvers=2)


def test_questions_become_one_that_fits_all_of_them() -> None:
    first = Ask("it is risky", notes=(("source", "mail"),))
    second = Ask("it costs", approvers=2, grantable=False, rule="policy.toml:4", notes=(("cost", "5"),))
    both = Ask("it is risky, and it costs", 2, False, "policy.toml:4", (("source", "mail"), ("cost", "5")))
    assert strictest_of([first, second]) == both
