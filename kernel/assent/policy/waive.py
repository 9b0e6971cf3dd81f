"""What a rule says of a call, once a waiver has loosened it."""

from collections.abc import Iterable

from assent.core.waiver import Waiver, covering
from assent.policy.verdict import Allow, Decision


def waived(decision: Decision, tool: str, waivers: Iterable[Waiver]) -> Decision:
    """`decision` of a rule for a call of `tool`, or the yes of the waiver that loosens it, which is named in its notes.

    `waivers` are those that hold for the run (`Facts.waivers`). The voices for privileges, taint, risk and the like do
    not ask here, and the strictest wins: so no waiver spares what a privilege asks for.
    """
    if isinstance(decision, Allow) or (waiver := covering(waivers, tool=tool)) is None:
        return decision
    return Allow(f"{decision.reason}, which is waived", decision.rule, (*decision.notes, waiver.note))
