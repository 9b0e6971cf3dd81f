"""Where one call stands, from proposal to result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assent.core.cargo import EMPTY, Cargo
from assent.core.events import Event
from assent.core.messages import ToolCall, ToolResult
from assent.core.preview import Preview
from assent.policy.decide import Approval, counts
from assent.policy.verdict import Ask, Notes

OUTCOME = 1000  # characters of what became of a proposal that a model reads


@dataclass(slots=True)
class CallState:
    """One call of the present batch, from proposal to result."""

    id: str
    step: int
    proposed: ToolCall
    tool: str
    privilege: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    gets: Mapping[str, Any] | None = None  # what the tool gets, as it was decided, where that is something else
    bound: str = ""  # to what an approval is bound besides the arguments (core.reading)
    decision: str = ""  # policy's: allow, ask, deny
    policy_version: str = ""  # of the rules under which it was decided
    asks: str = ""
    rule: str = ""  # the line of a policy that decided it
    notes: Notes = ()
    preview: Preview | None = None  # what it would do, as it was decided
    asked_at: float = 0.0
    heard_at: float = 0.0  # when something was said of the question last
    until: float | None = None  # when the question expires
    expired: bool = False
    approvers: int = 1
    who: tuple[str, ...] = ()  # those of whom they must be; anybody where it names nobody
    grantable: bool = True
    grant: str = ""  # what was given for a run or session and let it run (runs.lasting)
    approvals: list[Approval] = field(default_factory=list)
    verdict: str = ""  # the person's: approve, reject, happened
    said: str = ""  # the person's reason, or what did happen
    unknown: bool = False  # began, and nobody recorded how it ended
    started: bool = False
    elsewhere: bool = False  # it began in the run that this one is a fork of
    dry: str = ""  # what policy would have decided of it, were the run no dry one
    edited: bool = False  # a person has changed the arguments
    why: str = ""  # of a proposal: what its proposer says of it
    reserved: Event | None = None  # what it has reserved and nobody has settled
    result: ToolResult | None = None
    carries: Cargo = EMPTY  # what its result does
    short: int = OUTCOME  # characters of the result that its proposer is told
    asked_with: Cargo = EMPTY  # of a proposal: what its arguments do

    @property
    def waits(self) -> bool:
        return self.decision == "ask" and not self.verdict and self.result is None and not self.expired

    @property
    def asking(self) -> Ask:
        """The question that it is."""
        return Ask(self.asks, self.approvers, self.grantable, self.rule, self.notes, self.who)

    @property
    def voices(self) -> set[str]:
        """Who has approved it, as far as that counts."""
        return {item.by for item in self.approvals if counts(item.by, self.asking, proved=item.proved)}
