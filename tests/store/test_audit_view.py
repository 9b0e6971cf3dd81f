"""The view `audit`: who decided what, under which rule, by whom approved, and whether it was performed."""

from assent.core.events import Event, Kind
from assent.store.journal import Journal

CALL = {"run": "r", "call": "r.1", "tool": "pay", "user": "ana"}
COLUMNS = 'act, "by", decision, approved_by, performed IS NOT NULL, rule, waiver, "grant", reason'


def decided(decision: str, **body: object) -> Event:
    return Event(kind=Kind.CALL_DECIDED, decision=decision, body={"arguments": {"amount": 7}, **body}, **CALL)


def answered(by: str, decision: str = "approve") -> Event:
    return Event(kind=Kind.APPROVAL_DECIDED, decision=decision, body={"by": by, "reason": "checked"}, **CALL)


def told(journal: Journal, *events: Event) -> list[tuple[object, ...]]:
    journal.append(list(events)).result(5)
    return journal.select(f"SELECT {COLUMNS} FROM audit")


def test_a_call_is_told_with_its_rule_and_who_approved_it(journal: Journal) -> None:
    began = Event(kind=Kind.CALL_STARTED, **CALL)
    asked = decided("ask", rule="policy.toml:12", reason="amount > 5")
    assert told(journal, asked, answered("ana"), answered("ben"), began) == [
        ("call_decided", "policy", "ask", ["ana", "ben"], True, "policy.toml:12", None, None, "amount > 5"),
        ("approval_decided", "ana", "approve", [], False, None, None, None, "checked"),
        ("approval_decided", "ben", "approve", [], False, None, None, None, "checked"),
    ]


def test_what_was_asked_anew_is_approved_by_those_who_answered_then(journal: Journal) -> None:
    rows = told(journal, decided("ask"), answered("ana"), decided("ask"), answered("eve", "reject"))
    assert [(row[0], row[3], row[4]) for row in rows if row[0] == "call_decided"] == [
        ("call_decided", ["ana"], False), ("call_decided", [], False),
    ]  # fmt: skip


def test_grants_and_waivers_stand_with_what_they_made_possible(journal: Journal) -> None:
    note = ["Waiver", "w1 by ana until 2026-11-30 14:00 UTC: the list is checked"]
    given = Event(kind=Kind.WAIVER_GRANTED, tool="pay", user="ana", body={"id": "w1", "by": "ana", "reason": "checked"})
    allowed = decided("allow", notes=[["Proposed by", "x"], note], reason="waived")
    by_grant = decided("allow", grant="g1", reason="granted")
    rows = told(
        journal, given, allowed, by_grant, Event(kind=Kind.GRANT_REVOKED, body={"id": "g1", "by": "ben"}, **CALL)
    )
    assert [(row[0], row[1], row[6], row[7]) for row in rows] == [
        ("waiver_granted", "ana", "w1", None), ("call_decided", "policy", "w1", None),
        ("call_decided", "policy", None, "g1"), ("grant_revoked", "ben", None, "g1"),
    ]  # fmt: skip
