"""A call that waits for a person, as a value: what every card, prompt and list shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assent.core.preview import Preview


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that asks. `call` is also the approval's id.

    `gets` is what the tool gets, once its types have read the arguments, where that is not just what they say. `why` is
    what the agent said with the call, `asks` why policy asks. `grantable` tells whether "allow for this run"
    and "for this session" may be offered. `unknown` marks a call that began and whose outcome nobody recorded.
    `approvers` is how many different people must approve, of those in `who` if it names any; `approved_by` who has.
    `until` is when the question expires, in seconds since the epoch. `rule` names the line of a policy that asks;
    `notes` are further facts for whoever decides, a label and a sentence each. `preview` is what it would do, as far as
    that is known.
    """

    call: str
    run: str
    agent: str
    tool: str
    privilege: str
    arguments: Mapping[str, Any]
    gets: Mapping[str, Any] | None = None
    why: str = ""
    asks: str = ""
    notebook: str | None = None
    cell: str | None = None
    at: float = 0.0
    grantable: bool = True
    unknown: bool = False
    approvers: int = 1
    rule: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    approved_by: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    until: float | None = None
    preview: Preview | None = None

    @property
    def personal(self) -> bool:
        """Whether those who approve must prove who they are, by a passphrase."""
        return self.approvers > 1 or bool(self.who)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person said of a call that asked. `at` is seconds since the epoch.

    `verdict` is approve, reject or happened, whose `reason` is the result of the call.
    """

    verdict: str
    by: str
    reason: str = ""
    edited: bool = False
    scope: str = "once"
    at: float = 0.0
