"""What holds, as rows: every layer's rules, the highest first, below what is built in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assent.core.privilege import LEVELS, level
from assent.policy.asking import Asking
from assent.policy.ceiling import Ceiling
from assent.policy.explain import BUILT_IN, spell
from assent.policy.layers import Layers
from assent.policy.modes import AUTOMATIC, TWO_APPROVERS
from assent.policy.risk import Limit
from assent.policy.rule import Rule


@dataclass(frozen=True, slots=True)
class Row:
    """One line of what holds; empty where it says nothing of that."""

    layer: str
    line: str
    tool: str
    agent: str = ""
    user: str = ""
    mode: str = ""
    when: str = ""
    who: str = ""
    expires: str = ""


def overview(layers: Layers, modes: Mapping[str, Mapping[str, str]]) -> list[Row]:
    """The rows of what is built in, of each layer, and of `modes`: tool to mode, by who says it."""
    return [*_built_in(), *_of_layers(layers), *_of_modes(modes)]


def _built_in() -> Iterator[Row]:
    for privilege in LEVELS:
        height = level(privilege)
        who = "2 people" if height >= TWO_APPROVERS else ""
        yield Row(BUILT_IN, "", f"({privilege})", mode="auto" if height <= AUTOMATIC else "ask", who=who)
    yield Row(BUILT_IN, "", "(unknown)", mode="disabled")


def _of_layers(layers: Layers) -> Iterator[Row]:
    for document in layers.documents:
        rows = [_of_rule(item) for item in document.sections.get("rule", ())]
        rows += [_of_ceiling(item) for item in document.sections.get("agents", ())]
        rows += [_of_asking(item, document.layer) for item in document.sections.get("ask", ())]
        rows += [_of_limit(item) for item in document.sections.get("risk", ())]
        yield from sorted(rows, key=lambda row: int(row.line))
        for section, found in document.sections.items():
            if section not in ("rule", "agents", "ask", "risk"):
                yield Row(document.layer, "", f"[[{section}]]", when=f"{len(found)} of them, in {document.source}")


def _of_rule(rule: Rule) -> Row:
    when = rule.when.text if rule.when else ""
    names = (rule.tool or rule.tools, rule.agent, rule.user, rule.mode)
    return Row(rule.entry.layer, str(rule.entry.line), *names, when, *_terms(rule))


def _of_ceiling(ceiling: Ceiling) -> Row:
    entry = ceiling.entry
    return Row(entry.layer, str(entry.line), f"(above {ceiling.privilege})", ceiling.agent, mode="disabled")


def _of_limit(limit: Limit) -> Row:
    entry, check = limit.entry, limit.check
    return Row(entry.layer, str(entry.line), limit.tool or limit.tools, when=f"{check.name}: {check.terms}")


def _of_asking(asking: Asking, layer: str) -> Row:
    who, expires = _terms(asking)
    return Row(layer, asking.rule.rpartition(":")[2], "(whatever asks)", who=who, expires=expires)


def _of_modes(modes: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    for name, policy in modes.items():
        for tool, mode in policy.items():
            yield Row(name, "", tool, mode=mode)


def _terms(item: Rule | Asking) -> tuple[str, str]:
    """Who may answer, and in which time."""
    names = ", ".join(item.who)
    many = f"{item.approvers} of {names}" if names else f"{item.approvers} people"
    return names if item.approvers == 1 else many, "" if item.expires is None else spell(item.expires)
