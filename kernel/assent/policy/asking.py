"""What holds for every question: the section `[ask]` of a policy."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assent.policy.entry import Entry
from assent.policy.verdict import Ask, Decision, Deny, left_of, nobody

_SPAN = re.compile(r"(\d{1,5})\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Asking:
    """How long a question may wait for its answer, in seconds, and who may give it; nothing where neither is said."""

    expires: float | None = None
    who: tuple[str, ...] = ()
    approvers: int = 1
    rule: str = ""


def read_asking(entries: Sequence[Entry]) -> tuple[Asking, ...]:
    """`[ask]`: `expires = "24h"`, `who = ["ana", "ben"]`, `approvers = 2`; `ConfigError` names the line."""
    return tuple([_read(entry) for entry in entries])


def span(entry: Entry, key: str) -> float | None:
    """The seconds of a key such as `expires = "24h"` (s, m, h, d, w); None where the entry does not have it."""
    value = entry.values.get(key)
    if value is None:
        return None
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not seconds:
        raise entry.error(f'{key} is {value!r}: write a time such as "30m", "24h" or "7d".', key)
    return float(seconds)


def quorum(entry: Entry) -> tuple[int, tuple[str, ...]]:
    """How many must approve, and of whom, from the keys `approvers` and `who` of an entry."""
    who, many = entry.values.get("who", []), entry.values.get("approvers", 1)
    if not isinstance(who, list) or not all(isinstance(name, str) and name.strip() for name in who):
        raise entry.error(f'who is {who!r}: write names, such as who = ["ana", "ben"].', "who")
    if not isinstance(many, int) or isinstance(many, bool) or many < 1:
        raise entry.error(f"approvers is {many!r}: write how many people must approve, 1 or more.", "approvers")
    names = tuple(dict.fromkeys(who))
    if names and len(names) < many:
        raise entry.error(f"approvers is {many}, and who names {len(names)}: nothing could be approved.", "approvers")
    return many, names


def asked(decision: Decision, every: Iterable[Asking]) -> Decision:
    """A question as it is put where these hold, each of which may only tighten it."""
    if not isinstance(decision, Ask):
        return decision
    for item in every:
        decision = _tightened(decision, item)
        if isinstance(decision, Deny):
            break
    return decision


def _tightened(ask: Ask, item: Asking) -> Ask | Deny:
    approvers = max(ask.approvers, item.approvers)
    if (who := left_of((ask.who, item.who), approvers)) is None:
        return nobody(ask.reason, ask.rule or item.rule, ask.notes)
    expires = min([given for given in (ask.expires, item.expires) if given is not None], default=None)
    return replace(ask, who=who, approvers=approvers, expires=expires)


def _read(entry: Entry) -> Asking:
    entry.check_keys({"expires", "who", "approvers"})
    approvers, who = quorum(entry)
    return Asking(span(entry, "expires"), who, approvers, entry.rule)
