"""What a decision may know: the call, and the facts of its run."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from assent.core.canonical import digest
from assent.policy.verdict import Decision


@dataclass(frozen=True, slots=True)
class Call:
    """A proposed call with its final arguments."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision may know: each tool's privilege and mode, and the tools a person has allowed for this run.

    `version` names the rules: it changes whenever they do, and approvals are bound to it. Made by `facts`.
    """

    privileges: Mapping[str, str]
    policy: Mapping[str, str]
    version: str
    allowed: frozenset[str] = field(default_factory=frozenset)


# One concern of the decision: what it thinks of a call, or None where the call is not its concern. Pure.
Voice = Callable[[Call, Facts], Decision | None]


def facts(
    privileges: Mapping[str, str], policy: Mapping[str, str], identities: Mapping[str, str] = MappingProxyType({})
) -> Facts:
    """The facts of a run at its start; with `dataclasses.replace` a grant of a person is added later.

    `identities` tells tools of one name apart: an approval does not reach another tool that has taken its place.
    """
    return _shared(tuple(privileges.items()), tuple(policy.items()), tuple(identities.items()))


@functools.lru_cache(maxsize=256)
def _shared(
    privileges: tuple[tuple[str, str], ...],
    policy: tuple[tuple[str, str], ...],
    identities: tuple[tuple[str, str], ...],
) -> Facts:
    """One value for equal rules: thousands of runs at once have the same."""
    version = digest([dict(privileges), dict(policy), dict(identities)])[:16]
    return Facts(MappingProxyType(dict(privileges)), MappingProxyType(dict(policy)), version)
