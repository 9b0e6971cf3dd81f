"""What the rules name, held against what there is: a rule that means nothing, or that would loosen, is refused."""

import fnmatch
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass

from assent.core.glob import is_glob
from assent.core.privilege import LEVELS, level
from assent.policy.entry import LAYERS, hint
from assent.policy.layers import Layers
from assent.policy.modes import AUTOMATIC
from assent.policy.risk import Limit
from assent.policy.rule import STRICTNESS, Rule


@dataclass(frozen=True, slots=True)
class Known:
    """A tool that is here: its privilege, and the names of its arguments, None where it takes any.

    `strange` says of an argument with dots, such as order.amount, how far it goes that no call can have it, and what
    there is instead; None of one that calls can have.
    """

    privilege: str
    arguments: frozenset[str] | None = None
    strange: Callable[[str], tuple[str, Collection[str]] | None] = lambda _: None


# The names of tools that are not here, but were at some time or belong to an agent of the workspace.
Elsewhere = Callable[[], Set[str]]


def check(layers: Layers, tools: Mapping[str, Known], elsewhere: Elsewhere) -> None:
    """Refuse what cannot be meant: `ConfigError` with the line.

    The organisation's file is for other workspaces too, so it may name what is not here. Agents may be defined later:
    `strange_agent` says which are not there yet.
    """
    rules: tuple[Rule, ...] = layers.of("rule")
    limits: tuple[Limit, ...] = layers.of("risk")
    _check_tools(layers, tools, elsewhere)
    for limit in limits:
        if limit.entry.layer != "organisation" and (name := limit.entry.values.get("argument", "")):
            _check_argument(limit, tools, elsewhere, name, "argument")
    for rule in rules:
        if rule.entry.layer != "organisation":
            for name in rule.when.names if rule.when else ():
                _check_argument(rule, tools, elsewhere, name, "when")
            if rule.tool in tools:
                _check_mode(rule, tools[rule.tool])
        _check_effect(rule, rules)


def strange_agent(name: str, agents: Collection[str]) -> str:
    """What there is to say of an agent that a line names and that is not there; "" where it is, or is a glob."""
    if not name or is_glob(name) or name in agents:
        return ""
    meant = hint(name, agents)
    if not meant.endswith("?"):
        return f"there is no agent {name!r} yet: the line counts once %agent new has defined it"
    return f"there is no agent {name!r} yet{meant}"


def strange_people(who: Collection[str], people: Collection[str] | None) -> str:
    """What there is to say of who may answer and is not listed; "" where all are, or where nobody knows who is."""
    missing = [name for name in who if people is not None and name not in people]
    if not missing:
        return ""
    meant = hint(missing[0], people or ())
    if not meant.endswith("?"):
        meant = f": nobody can answer as {missing[0]} until %agent people add {missing[0]} has listed them"
    return f"{missing[0]!r} is not among %agent people{meant}"


def strange_glob(pattern: str, tools: Collection[str]) -> str:
    """What there is to say of a glob that a line names and that is no tool's; "" where it is, or is no glob."""
    if not is_glob(pattern) or fnmatch.filter(tools, pattern):
        return ""
    return f"no tool is called {pattern!r} yet: the line counts, and its arguments are checked, once one is"


def _check_tools(layers: Layers, tools: Collection[str], elsewhere: Elsewhere) -> None:
    """Every section's entries, whoever reads them, name tools that there are."""
    named = [item for document in layers.documents if document.layer != "organisation" for item in document.tools]
    strange = [(entry, name) for entry, name in named if name not in tools and not is_glob(name)]
    known = {*tools, *elsewhere()} if strange else tools
    for entry, name in strange:
        if name not in known:
            said = hint(name, known)
            what = "" if said.endswith("?") else " Run the cell that defines it first."
            raise entry.error(f"unknown tool {name!r}{said}{what}", "tool")


def _check_mode(rule: Rule, tool: Known) -> None:
    """A rule about a tool that is here does not loosen its privilege."""
    if rule.mode == "auto" and tool.privilege in LEVELS and level(tool.privilege) > AUTOMATIC:
        raise rule.entry.error(
            f"{rule.tool} is {tool.privilege}, which asks whatever a policy says, for a policy only tightens: take "
            "this rule away, or say when it asks or is disabled.",
            "mode",
        )


def _check_argument(about: Rule | Limit, tools: Mapping[str, Known], elsewhere: Elsewhere, name: str, key: str) -> None:
    """A rule or a limit names an argument that its tool has; of a glob's tools, one that is here, or is elsewhere.

    Any other would be missing in every call, which counts against it.
    """
    called = [item for item in tools if about.names(item)]
    lacks = [found for item in called if (found := _lacks(tools[item], name, key))]
    if not called or len(lacks) < len(called) or (about.tools and any(map(about.names, elsewhere() - {*called}))):
        return
    odd = lacks[0][0]
    there = {item for _, names in lacks for item in names}
    said = hint(odd, there) if there else f": nothing is within {odd.rpartition('.')[0]}."
    said += _url(name, there)
    if about.tool:
        raise about.entry.error(f"{about.tool} has no argument {odd!r}{said}", key)
    later = "" if said.endswith("?") else " If a tool that has it is to come, run the cell that defines it first."
    raise about.entry.error(f"no tool that {about.tools!r} names has an argument {odd!r}{said}{later}", key)


def _lacks(tool: Known, name: str, key: str) -> tuple[str, Collection[str]] | None:
    """How far the name of an argument goes that a tool does not have, and what there is; None where it may have it."""
    if tool.arguments is None:
        return None
    if name.partition(".")[0] not in tool.arguments:
        return name, tool.arguments
    found = tool.strange(name)
    if found and key == "when" and name.endswith(".host") and tool.strange(name.removesuffix(".host")) is None:
        return None
    return found


def _url(name: str, arguments: Collection[str]) -> str:
    places = [item for item in ("url", "uri", "address", "endpoint") if item in arguments]
    return f" For the host of {places[0]} write {places[0]}.host." if name == "host" and places else ""


def _check_effect(rule: Rule, rules: Collection[Rule]) -> None:
    """A rule that could never count, because another one that holds for all its calls is stricter, was meant to."""
    for other in rules:
        if _covers(other, rule) and STRICTNESS[other.mode] > STRICTNESS[rule.mode]:
            does = {"ask": "asks for", "disabled": "disables"}[other.mode]
            raise rule.entry.error(
                f"this would loosen {other.entry.rule}, which {does} every call of it: rules only tighten, and the "
                "strictest wins. Take one of the two away.",
                "mode",
            )


def _covers(above: Rule, below: Rule) -> bool:
    """Whether one rule, of the same layer or a higher one, holds for every call that the other is about."""
    higher = LAYERS.index(above.entry.layer) <= LAYERS.index(below.entry.layer)
    tools = above.names(below.tool) if below.tool else above.tools in ("*", below.tools)
    whose = above.agent in ("", below.agent) and above.user in ("", below.user)
    return above is not below and higher and above.when is None and tools and whose
