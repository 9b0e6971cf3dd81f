"""What a rule says of a call, once a waiver has loosened it; and the waivers of the organisation's file."""

from collections.abc import Iterable, Sequence

from assent.core.canonical import digest
from assent.core.errors import ConfigError
from assent.core.waiver import EVERYBODY, Waiver, covering, moment
from assent.policy.entry import Entry, Layer
from assent.policy.verdict import Allow, Decision

_KEYS = frozenset({"tool", "budget", "agent", "user", "reason", "until"})


def waived(decision: Decision, tool: str, layer: Layer, waivers: Iterable[Waiver]) -> Decision:
    """`decision` of a rule for a call of `tool`, or the yes of the waiver that loosens it, which is named in its notes.

    `waivers` are those that hold for the run (`Facts.waivers`). The voices for privileges, taint, risk and the like do
    not ask here, and the strictest wins: so no waiver spares what a privilege asks for.
    """
    firm = layer == "organisation"
    if isinstance(decision, Allow) or (waiver := covering(waivers, tool=tool, firm=firm)) is None:
        return decision
    return Allow(f"{decision.reason}, which is waived", decision.rule, (*decision.notes, waiver.note))


def waivers(entries: Sequence[Entry]) -> tuple[Waiver, ...]:
    """The section `[[waiver]]`, which the organisation's file alone may have: `ConfigError` with the line."""
    return tuple([_waiver(entry) for entry in entries])


def _waiver(entry: Entry) -> Waiver:
    if entry.layer != "organisation":
        raise entry.error('a waiver cannot stand in this file: %agent waive … --reason "…" --until 2h gives one.')
    entry.check_keys(_KEYS)
    values = {"user": EVERYBODY, "reason": "", **entry.values}
    if "until" not in values:
        raise entry.error("a waiver needs an end, such as until = 2026-11-30.")
    try:
        until = moment(values.pop("until"))
        return Waiver(id=digest(dict(entry.values))[:6], by=entry.rule, until=until, tenant=EVERYBODY, **values)
    except ConfigError as error:
        raise entry.error_about(error) from None
