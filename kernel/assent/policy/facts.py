"""What a decision may know: the call, and the facts of its run."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from assent.core.canonical import digest
from assent.core.reading import Reading
from assent.core.taint import Sources
from assent.core.waiver import Waiver
from assent.policy.layers import NONE, Layers
from assent.policy.verdict import Decision
from assent.risk.check import Checks


@dataclass(frozen=True, slots=True)
class Call:
    """A proposed call with its final arguments, as they were written and as its tool reads them.

    Whoever judges arguments judges both, each of `forms`: what one of them does not allow is not allowed.
    """

    tool: str
    arguments: Mapping[str, Any]
    known: Mapping[str, Any] | None = None  # what its risk checks need besides; None as long as nobody has looked
    reading: Reading | None = None  # None where no tool is here to read them

    @property
    def gets(self) -> Mapping[str, Any] | None:
        """What the tool gets, where that is not just what was written."""
        return self.reading.gets if self.reading else None

    @property
    def forms(self) -> tuple[Mapping[str, Any], ...]:
        """What the tool gets first, for that is what will happen; then what was written."""
        return (self.arguments,) if (gets := self.gets) is None else (gets, self.arguments)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision may know: each tool's privilege and mode, and the tools a person has allowed for this run.

    `version` names the rules: it changes whenever they do, and approvals are bound to it. Made by `facts`.
    """

    privileges: Mapping[str, str]
    policy: Mapping[str, str]
    version: str
    allowed: frozenset[str] = field(default_factory=frozenset)
    layers: Layers = NONE  # the loaded policy: `facts.layers.of("budget")` is what its owner read
    agent: str = ""
    above: tuple[str, ...] = ()  # the agents whose calls have started it: what they may not, it may not for them
    user: str = ""  # whose run it is
    folder: str = ""  # where the workspace's notebooks are; relative paths in conditions begin there
    waivers: tuple[Waiver, ...] = ()  # that hold now for this run: of its tenant, user and agent
    mode: str = "auto"  # of the run, as `core.run_mode` names it
    acts: Mapping[str, str] = field(default_factory=dict)  # tools that declare where they act: inside or outside
    taint: Sources = ()  # what the run has read and nobody vouches for
    checks: Mapping[str, Checks] = field(default_factory=dict)  # the risk checks of each tool that has some
    planned: bool = False  # whether a person has approved a plan in this run

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents whose rules hold; none where it is not known which agent's run it is."""
        return (self.agent, *self.above) if self.agent else ()


# One concern of the decision: what it thinks of a call, or None where the call is not its concern. Pure.
Voice = Callable[[Call, Facts], Decision | None]


def facts(
    privileges: Mapping[str, str],
    policy: Mapping[str, str],
    identities: Mapping[str, str] = MappingProxyType({}),
    layers: Layers = NONE,
    *,
    agent: str = "",
    user: str = "",
    folder: str = "",
) -> Facts:
    """The facts of a run at its start; with `dataclasses.replace` a grant of a person is added later.

    `identities` tells tools of one name apart: an approval does not reach another tool that has taken its place.
    """
    who = (agent, user, folder)
    return _shared(tuple(privileges.items()), tuple(policy.items()), tuple(identities.items()), layers, who)


@functools.lru_cache(maxsize=256)
def _shared(
    privileges: tuple[tuple[str, str], ...],
    policy: tuple[tuple[str, str], ...],
    identities: tuple[tuple[str, str], ...],
    layers: Layers,
    who: tuple[str, str, str],
) -> Facts:
    """One value for equal rules: thousands of runs at once have the same."""
    loaded = [layers.digest] if layers is not NONE else []
    version = digest([dict(privileges), dict(policy), dict(identities), *loaded])[:16]
    agent, user, folder = who
    return Facts(
        MappingProxyType(dict(privileges)), MappingProxyType(dict(policy)), version,
        layers=layers, agent=agent, user=user, folder=folder,
    )  # fmt: skip
