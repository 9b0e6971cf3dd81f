"""The voice of risk checks: those of the tool itself and those of `[[risk]]` in a policy; the strictest counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from assent.core.canonical import digest
from assent.core.errors import ConfigError
from assent.core.glob import is_glob
from assent.policy.entry import Entry, hint
from assent.policy.facts import Call, Facts
from assent.policy.layers import Layers
from assent.policy.verdict import Allow, Ask, Decision, Deny
from assent.risk import limits, windows
from assent.risk.check import Act, Check, Checks, examine, worst

# What a check takes in a policy: its function, the keys that it must have in the order of its parameters, the others.
_KINDS: Mapping[str, tuple[Callable[..., Check], tuple[str, ...], tuple[str, ...]]] = {
    "max_amount": (limits.max_amount, ("argument", "limit"), ("ask_over",)),
    "daily_volume": (windows.daily_volume, ("argument", "limit"), ("by", "ask_over", "zone")),
    "rate": (windows.rate, ("limit", "seconds"), ("by", "ask_over")),
    "cool_down": (windows.cool_down, ("seconds",), ("by",)),
    "slippage": (limits.slippage, ("argument", "limit"), ("fact", "ask_over")),
    "min_liquidity": (limits.min_liquidity, ("limit",), ("fact", "ask_under")),
    "blacklist": (limits.blacklist, ("argument", "names"), ()),
}
_OVER_TIME = ("daily_volume", "rate", "cool_down")


@dataclass(frozen=True, slots=True)
class Limit:
    """A check of a policy, and what it is for: either `tool`, an exact name, or `tools`, a glob."""

    entry: Entry
    check: Check
    tool: str = ""
    tools: str = ""

    def names(self, tool: str) -> bool:
        """Whether it is for that tool."""
        return tool == self.tool or bool(self.tools and fnmatchcase(tool, self.tools))


def by_risk(call: Call, facts: Facts) -> Decision | None:
    """What the checks of a tool say of a call; those over time, and of facts, only where these were looked up.

    What was not looked up is held at the latest when the call is begun (`risk.reserve`).
    """
    if (checks := facts.checks.get(call.tool)) is None:
        return None
    findings = examine(checks, *[Act(call.tool, arguments, call.known) for arguments in call.forms])
    found = worst(findings)
    reasons = [item for item in findings if item.verdict == found.verdict != "ok"]
    notes = tuple([(item.label, item.sentence) for item in findings if item.sentence and item not in reasons])
    reason = ", and ".join([f"{item.label}: {item.sentence}" for item in reasons])
    if found.verdict == "deny":
        return Deny(reason, found.rule, notes)
    if found.verdict == "ask":
        return Ask(reason, grantable=False, rule=found.rule, notes=notes)
    later = "" if len(findings) == len(checks) else ", as far as can be told before it is run"
    return Allow(f"it is within its limits{later}", notes=notes)


def with_checks(facts: Facts, own: Mapping[str, Checks]) -> Facts:
    """`facts` with the checks of each tool: its `own`, and the policy's. Another version wherever one of these differs.

    The code of users' own checks is a matter of the tool's identity.
    """
    names = facts.privileges if facts.layers.of("risk") else own
    found = {name: checks_of(facts.layers, name, own.get(name, ())) for name in names}
    checks = {name: items for name, items in found.items() if items}
    if not checks:
        return facts
    terms = {name: [[item.name, item.terms] for item in items] for name, items in checks.items()}
    version = digest([facts.version, terms])[:16]
    return replace(facts, checks=MappingProxyType(checks), version=version)


def checks_of(layers: Layers, tool: str, own: Checks) -> Checks:
    """The checks of one tool: its own, then those of every layer of policy."""
    given: Sequence[Limit] = layers.of("risk")
    return (*own, *[item.check for item in given if item.names(tool)])


def read_limits(entries: Sequence[Entry]) -> tuple[Limit, ...]:
    """`[[risk]]`: `tool = "swap"` or `tools = "swap_*"`, `check = "max_amount"`, and what that takes.

    `ConfigError` names the line.
    """
    return tuple([_read(entry) for entry in entries])


def _read(entry: Entry) -> Limit:
    named = {key: entry.values[key] for key in ("tool", "tools") if key in entry.values}
    kind = entry.values.get("check")
    if len(named) != 1 or not all(isinstance(name, str) and name for name in named.values()):
        raise entry.error('write either tool = "NAME" or, for a glob, tools = "NAME_*".', "tools")
    if any(is_glob(name) for key, name in named.items() if key == "tool"):
        raise entry.error(f'{named["tool"]!r} is a glob: write tools = "{named["tool"]}".', "tool")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise entry.error(f"there is no check {kind!r}{hint(str(kind), _KINDS)}", "check")
    make, needed, others = _KINDS[kind]
    entry.check_keys({"tool", "tools", "check", *needed, *others})
    if missing := [key for key in needed if key not in entry.values]:
        raise entry.error(f"the check {kind} needs {missing[0]} too.")
    options: dict[str, Any] = {key: entry.values[key] for key in others if key in entry.values}
    for key in ("argument", "by", "zone", "fact"):
        if not isinstance(entry.values.get(key, ""), str):
            raise entry.error(f"{key} is {entry.values[key]!r}: write a text.", key)
    if kind in _OVER_TIME and "tools" in named:
        options["tools"] = named["tools"]  # whoever limits a group means all of it together
    try:
        check = make(*[entry.values[key] for key in needed], **options)
    except (ConfigError, TypeError, AttributeError) as error:
        raise entry.error_about(error, f"the check {kind} makes no sense: ") from None
    return Limit(entry, replace(check, rule=entry.rule), **named)
