"""The voice of `[[rule]]`: a tool, for whom, when, and whether it then runs on its own, asks or is disabled.

    [[rule]]
    tool = "pay"                    # exactly this one; or a glob: tools = "mail_*"
    mode = "ask"                    # auto, ask, disabled
    when = "amount > 100"           # `policy.condition`; without it, always
    agent = "trader"                # for this agent alone; `user` for this person's runs alone
    who = ["ana", "ben"]            # only these may answer; approvers = 2: two of them; expires = "2h": in that time

A rule only tightens. One that asks or disables holds where its condition is true, or cannot be told; one that says
auto lets the tool run on its own, as far as everything else does, only where its condition is true, and asks otherwise.
"""

import fnmatch
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from assent.core.glob import is_glob
from assent.core.privilege import MODES
from assent.policy.asking import quorum, span
from assent.policy.condition import Condition, parse, told
from assent.policy.entry import Entry, hint
from assent.policy.facts import Call, Facts
from assent.policy.layers import NONE, Layers
from assent.policy.path import Ground
from assent.policy.sieve import Sieve, sieve
from assent.policy.verdict import Ask, Decision, Deny, strictest_of
from assent.policy.waive import waived

KEYS = ("tool", "tools", "mode", "when", "agent", "user", "approvers", "who", "expires")
STRICTNESS = {mode: place for place, mode in enumerate(MODES)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[rule]]`: either `tool`, an exact name, or `tools`, a glob. `expires` is in seconds."""

    entry: Entry
    mode: str
    tool: str = ""
    tools: str = ""
    agent: str = ""
    user: str = ""
    when: Condition | None = None
    approvers: int = 1
    who: tuple[str, ...] = ()
    expires: float | None = None

    def names(self, tool: str) -> bool:
        """Whether it is about that tool."""
        return tool == self.tool or bool(self.tools and _glob(self.tools).match(tool))

    def concerns(self, agents: tuple[str, ...], user: str) -> bool:
        """Whether it is for a run of one of these agents and that user; also where it is not known whose the run is."""
        return (not agents or self.agent in ("", *agents)) and (not user or self.user in ("", user))


def read_rules(entries: Sequence[Entry]) -> tuple[Rule, ...]:
    """`[[rule]]`; `ConfigError` names the line of what is wrong, and of two rules that contradict each other."""
    rules = tuple([_read(entry) for entry in entries])
    seen: dict[tuple[str, ...], Rule] = {}
    for rule in rules:
        about = (rule.tool, rule.tools, rule.agent, rule.user, rule.when.text if rule.when else "")
        first = seen.setdefault(about, rule)
        if _says(first) != _says(rule):
            raise rule.entry.error(
                f"this contradicts line {first.entry.line}, which is about the same calls and says {first.mode}: "
                "keep one of the two.",
                _differs(first, rule),
            )
    return rules


def _differs(first: Rule, second: Rule) -> str:
    """The first key in which two rules say something else; where the second does not have it, none."""
    given = [key for key in ("mode", "approvers", "who", "expires") if key in second.entry.values]
    return next((key for key in given if getattr(first, key) != getattr(second, key)), "")


def by_rule(call: Call, facts: Facts) -> Decision | None:
    """What the rules of the policy say of a call; nothing where none is about it. A waiver may loosen one."""
    if facts.layers is NONE:
        return None
    rules, asked = _about(facts.layers, facts.agents, facts.user, call.tool)
    speaking: dict[int, bool | None] = {}
    ground = Ground(facts.folder)
    for arguments in call.forms if rules else ():
        for place, held in asked.speaking(arguments, ground):
            speaking.setdefault(place, held)
    found: list[Decision] = []
    for place in sorted(speaking):
        if (said := _said(rules[place], call, facts, speaking[place])) is not None:
            found.append(waived(said, call.tool, rules[place].entry.layer, facts.waivers))
    return strictest_of(found) if found else None


def says(rule: Rule, call: Call, facts: Facts) -> Decision | None:
    """What one rule says of a call that it is about."""
    ground = Ground(facts.folder)
    for arguments in call.forms:
        held = rule.when.test(arguments, ground) if rule.when else True
        if held is not _idle(rule):
            return _said(rule, call, facts, held)
    return None


@functools.lru_cache(maxsize=4096)
def _about(layers: Layers, agents: tuple[str, ...], user: str, tool: str) -> tuple[tuple[Rule, ...], Sieve]:
    """The rules that are about a tool in such a run, the highest layer first, and their conditions together."""
    about = [rule for rule in layers.of("rule") if rule.names(tool) and rule.concerns(agents, user)]
    return tuple(about), sieve([(rule.when, _idle(rule)) for rule in about])


def _idle(rule: Rule) -> bool:
    """What its condition says where the rule says nothing."""
    return rule.mode == "auto"


def _said(rule: Rule, call: Call, facts: Facts, held: bool | None) -> Decision | None:
    if rule.mode == "auto":
        return _ask(rule, f"policy lets {call.tool} run on its own only where {_told(rule, call, held)}")
    where = f" where {_told(rule, call, held)}" if rule.when else ""
    if rule.mode == "disabled":
        return Deny(f"{call.tool} is disabled by policy{where}.", rule.entry.rule)
    asking = _ask(rule, f"policy asks for {call.tool}{where}")
    return None if asking.lasting and call.tool in facts.allowed else asking


def _ask(rule: Rule, reason: str) -> Ask:
    """A yes for the whole run would be one for other arguments too: not where they are what the rule asks about."""
    return Ask(reason, rule.approvers, rule.when is None, rule.entry.rule, (), rule.who, rule.expires)


def _told(rule: Rule, call: Call, held: bool | None) -> str:
    """The condition, and what could not be told of it: as it was written, for masks of these words are known."""
    assert rule.when is not None
    if held is not None:
        return rule.when.text
    return f"{rule.when.text}, which cannot be told here ({told(rule.when, call.arguments)})"


@functools.lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def _says(rule: Rule) -> tuple[object, ...]:
    return rule.mode, rule.approvers, rule.who, rule.expires


def _read(entry: Entry) -> Rule:
    if "skill" in entry.values:
        raise entry.error("there are no skills yet that a rule could be for: take the key skill away.", "skill")
    entry.check_keys(KEYS)
    names = {key: _text(entry, key) for key in ("tool", "tools", "agent", "user")}
    if bool(names["tool"]) == bool(names["tools"]):
        raise entry.error(
            'a rule is about one tool = "NAME", or about all that a glob names: tools = "mail_*".', "tools"
        )
    if is_glob(names["tool"]):
        raise entry.error(f'{names["tool"]!r} is a glob: write tools = "{names["tool"]}".', "tool")
    if names["tools"] and not is_glob(names["tools"]):
        raise entry.error(f'{names["tools"]!r} is no glob: write tool = "{names["tools"]}".', "tools")
    mode = _text(entry, "mode")
    if mode not in MODES:
        raise entry.error(f"mode is {entry.values.get('mode')!r}{hint(mode, MODES)}", "mode")
    when = _condition(entry)
    approvers, who = quorum(entry)
    expires = span(entry, "expires")
    if (approvers > 1 or who or expires is not None) and (mode == "disabled" or (mode == "auto" and when is None)):
        first = next(key for key in entry.values if key in ("approvers", "who", "expires"))
        raise entry.error(f"nobody is asked where mode is {mode}: take approvers, who and expires away.", first)
    return Rule(entry, mode, when=when, approvers=approvers, who=who, expires=expires, **names)


def _text(entry: Entry, key: str) -> str:
    value = entry.values.get(key, "")
    if not isinstance(value, str) or (key in entry.values and not value.strip()):
        raise entry.error(f"{key} is {value!r}: write a text in quotes.", key)
    return value


def _condition(entry: Entry) -> Condition | None:
    text = _text(entry, "when")
    try:
        return parse(text) if text else None
    except ValueError as error:
        raise entry.error(f"when is no condition: {error}.", "when") from None
