"""What policy says of a call: a value, and how the values of several voices become one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

Notes = tuple[tuple[str, str], ...]  # what a person should know who is asked: a label and a sentence each


@dataclass(frozen=True, slots=True)
class Allow:
    """It may run. `rule` names the line of a policy that says so, if one does."""

    reason: str
    rule: str = ""
    notes: Notes = ()
    name = "allow"


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must say: `approvers` different ones. `grantable`: one may allow the tool for the rest of the run."""

    reason: str
    approvers: int = 1
    grantable: bool = True
    rule: str = ""
    notes: Notes = ()
    name = "ask"


@dataclass(frozen=True, slots=True)
class Deny:
    """It must not run; `reason` is for the model and the person alike."""

    reason: str
    rule: str = ""
    notes: Notes = ()
    name = "deny"


Decision = Allow | Ask | Deny


def strictest_of(voices: Iterable[Decision | None]) -> Decision:
    """One decision of what several voices say: a denial before a question before a yes; nobody's word is a denial.

    Questions become one that fits all of them: every reason, the most approvers, and no lasting yes that one refuses.
    What anybody notes is kept: who decides also reads what made a yes of another voice (a waiver).
    """
    said = [voice for voice in voices if voice is not None]
    if denied := next((voice for voice in said if isinstance(voice, Deny)), None):
        return denied
    asks = [voice for voice in said if isinstance(voice, Ask)]
    notes = tuple([note for voice in said for note in voice.notes])
    if len(asks) > 1:
        return Ask(
            ", and ".join([ask.reason for ask in asks]),
            max(ask.approvers for ask in asks),
            all(ask.grantable for ask in asks),
            next((ask.rule for ask in asks if ask.rule), ""),
            notes,
        )
    found = next(iter(asks or said), Deny("No policy covers this call."))
    return found if found.notes == notes else replace(found, notes=notes)
