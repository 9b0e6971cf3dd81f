"""Identifiers."""

from assent.core.ids import call_id, new_id, ordinal, place, proposal_id, proposer, run_of


def test_new_ids_never_meet_and_can_be_typed() -> None:
    ids = {new_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert {len(name) for name in ids} == {10}
    signs = set("".join(ids))
    assert len(signs) == 32
    assert not signs & set("lo01ABC.")


def test_a_call_belongs_to_its_run() -> None:
    assert call_id("abc", 7) == "abc.7"
    assert run_of("abc.7") == "abc"
    assert run_of("no call") == ""


def test_a_proposal_is_named_by_the_call_that_makes_it() -> None:
    first = proposal_id(call_id("a-b", 3), 1)
    second = proposal_id(first, 12)
    assert (first, second) == ("a-b.3-1", "a-b.3-1-12")
    assert (proposer(second), proposer(first), proposer("a-b.3")) == (first, "a-b.3", "")
    assert (run_of(second), ordinal(second)) == ("a-b", 3)
    assert sorted([second, "a-b.10", first, "a-b.3", "a-b.3-2"], key=place) == [
        "a-b.3", first, second, "a-b.3-2", "a-b.10",
    ]  # fmt: skip
