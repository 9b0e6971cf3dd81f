"""The voice of `[agents.NAME]`: the privilege above which an agent gets nothing. NAME may be a glob, in quotes.

[agents.analyst]
ceiling = "execute_safe"
"""

import fnmatch
import functools
from collections.abc import Sequence
from dataclasses import dataclass

from assent.core.privilege import LEVELS, level
from assent.policy.entry import Entry, hint
from assent.policy.facts import Call, Facts
from assent.policy.layers import NONE, Layers
from assent.policy.verdict import Decision, Deny


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest privilege that the agents of that name, or of that glob, may use."""

    entry: Entry
    agent: str
    privilege: str


def read_ceilings(entries: Sequence[Entry]) -> tuple[Ceiling, ...]:
    """`[agents.NAME]`; `ConfigError` names the line of what is wrong."""
    return tuple([_read(entry) for entry in entries])


def by_ceiling(call: Call, facts: Facts) -> Decision | None:
    """A denial of what lies above the agent's ceiling, or that of one by whose call it was started; else nothing."""
    if facts.layers is NONE:
        return None
    found = [(item, agent) for agent in facts.agents or ("",) if (item := ceiling_of(facts.layers, agent))]
    if not found:
        return None
    lowest, agent = min(found, key=lambda pair: level(pair[0].privilege))
    privilege = facts.privileges.get(call.tool, "")
    if privilege not in LEVELS or level(privilege) <= level(lowest.privilege):
        return None  # what is not known is denied by another voice
    who = f"the agent {agent}" if agent == facts.agent else f"the agent {agent}, which has started this run,"
    reason = f"{call.tool} is {privilege}, and {who} may use nothing above {lowest.privilege}."
    return Deny(reason, lowest.entry.rule)


@functools.lru_cache(maxsize=1024)
def ceiling_of(layers: Layers, agent: str) -> Ceiling | None:
    """The lowest that holds for an agent; any one where it is not known which agent it is."""
    found = [item for item in layers.of("agents") if not agent or fnmatch.fnmatchcase(agent, item.agent)]
    return min(found, key=lambda item: level(item.privilege), default=None)


def _read(entry: Entry) -> Ceiling:
    entry.check_keys(["ceiling"])
    privilege = entry.values.get("ceiling")
    if not isinstance(privilege, str) or privilege not in LEVELS:
        raise entry.error(f"ceiling is {privilege!r}{hint(str(privilege), LEVELS)}", "ceiling")
    return Ceiling(entry, entry.name, privilege)
