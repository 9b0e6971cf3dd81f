"""What policy says of a call: a value, and how the values of several voices become one."""

from collections.abc import Iterable, Sequence
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
    """A person must say: `approvers` different ones, of those in `who` if it names any, within `expires` seconds.

    `grantable`: one may allow the tool for the rest of the run or session; never where certain people are asked.
    """

    reason: str
    approvers: int = 1
    grantable: bool = True
    rule: str = ""
    notes: Notes = ()
    who: tuple[str, ...] = ()
    expires: float | None = None
    name = "ask"

    @property
    def personal(self) -> bool:
        """Whether those who answer must prove who they are (`core.people`)."""
        return self.approvers > 1 or bool(self.who)

    @property
    def lasting(self) -> bool:
        """Whether one yes may hold for later calls too."""
        return self.grantable and not self.personal


@dataclass(frozen=True, slots=True)
class Deny:
    """It must not run; `reason` is for the model and the person alike. `dry`: only because nothing is performed."""

    reason: str
    rule: str = ""
    notes: Notes = ()
    dry: bool = False
    name = "deny"


Decision = Allow | Ask | Deny


def strictest_of(voices: Iterable[Decision | None]) -> Decision:
    """One decision of what several voices say: a denial before a question before a yes; nobody's word is a denial.

    Questions become one that fits all of them: every reason, the most approvers, of those only whom each one takes, in
    the shortest time, and no lasting yes that one refuses. Where nobody is left who may answer, it is a denial.
    What anybody notes is kept: who decides also reads what made a yes of another voice (a waiver).
    """
    said = [voice for voice in voices if voice is not None]
    if denied := next((voice for voice in said if isinstance(voice, Deny)), None):
        return denied
    asks = [voice for voice in said if isinstance(voice, Ask)]
    notes = tuple([note for voice in said for note in voice.notes])
    if len(asks) > 1:
        return _together(asks, notes)
    found = next(iter(asks or said), Deny("No policy covers this call."))
    return found if found.notes == notes else replace(found, notes=notes)


def left_of(groups: Iterable[tuple[str, ...]], approvers: int) -> tuple[str, ...] | None:
    """Who may answer where each of these groups is asked, () for anybody; None where they are fewer than must."""
    named = [group for group in groups if group]
    if not named:
        return ()
    who = tuple([name for name in named[0] if all(name in others for others in named)])
    return who if len(who) >= approvers else None


def nobody(reason: str, rule: str, notes: Notes) -> Deny:
    """What becomes of a question that nobody may answer."""
    return Deny(f"{reason}; but the rules leave nobody who may approve it", rule, notes)


def _together(asks: Sequence[Ask], notes: Notes) -> Decision:
    reason = ", and ".join([ask.reason for ask in asks])
    rule = next((ask.rule for ask in asks if ask.rule), "")
    approvers = max(ask.approvers for ask in asks)
    if (who := left_of([ask.who for ask in asks], approvers)) is None:
        return nobody(reason, rule, notes)
    grantable = all(ask.lasting for ask in asks)
    expires = min([ask.expires for ask in asks if ask.expires is not None], default=None)
    return Ask(reason, approvers, grantable, rule, notes, who, expires)
