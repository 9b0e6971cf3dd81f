"""Identifiers."""

from assent.core.ids import call_id, new_id, run_of


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
