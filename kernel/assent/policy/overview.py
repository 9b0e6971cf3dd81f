"""What holds, as rows: every layer's lines, the highest first, below what is built in."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from assent.core.budget import Budget, said
from assent.core.mask import Mask, own
from assent.core.privilege import LEVELS, level
from assent.core.trust import Trust
from assent.core.waiver import EVERYBODY, Waiver
from assent.policy.asking import Asking
from assent.policy.ceiling import Ceiling
from assent.policy.explain import BUILT_IN, spell
from assent.policy.known import strange_agent, strange_glob, strange_people
from assent.policy.layers import Document, Layers
from assent.policy.masks import LocalOnly
from assent.policy.modes import AUTOMATIC, TWO_APPROVERS
from assent.policy.risk import Limit
from assent.policy.rule import Rule

LOCAL_ONLY = "local only"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of what holds; empty where it says nothing of that.

    `tool` is what it is about: a tool or glob, or in brackets what else. `mode` is what it does. `note` is what there
    is to say of the line itself.
    """

    layer: str
    line: str
    tool: str
    agent: str = ""
    user: str = ""
    mode: str = ""
    when: str = ""
    who: str = ""
    expires: str = ""
    note: str = ""

    @property
    def remark(self) -> str:
        """The note, and which line it is about; "" where there is none."""
        end = "" if self.note.endswith("?") else "."
        return f"{self.layer}, line {self.line}: {self.note}{end}" if self.note else ""


def overview(
    layers: Layers,
    modes: Mapping[str, Mapping[str, str]],
    agents: Collection[str] = (),
    tools: Collection[str] = (),
    people: Collection[str] | None = None,
) -> list[Row]:
    """The rows of what is built in, of each layer, and of `modes`: tool to mode, by who says it.

    `agents`, `tools` and `people` are those that there are: a line that names another agent or person, or a glob of no
    tool, has a note.
    """
    return [*_built_in(), *_of_layers(layers, agents, tools, people), *_of_modes(modes), *_of_kernel()]


def _built_in() -> Iterator[Row]:
    for privilege in LEVELS:
        height = level(privilege)
        who = "2 people" if height >= TWO_APPROVERS else ""
        yield Row(BUILT_IN, "", f"({privilege})", mode="auto" if height <= AUTOMATIC else "ask", who=who)
    yield Row(BUILT_IN, "", "(unknown)", mode="disabled")


def _of_layers(
    layers: Layers, agents: Collection[str], tools: Collection[str], people: Collection[str] | None
) -> Iterator[Row]:
    for document in layers.documents:
        for row in sorted(_of_document(document, people), key=lambda row: int(row.line or 0)):
            # The organisation's file is for other workspaces too, which have other agents and tools.
            own = document.layer != "organisation"
            yield replace(row, note=_strange(row, agents, tools) if own else "")


def _of_document(document: Document, people: Collection[str] | None) -> Iterator[Row]:
    for section, found in document.sections.items():
        read = _SECTIONS[section]
        for item in found:
            note = strange_people(getattr(item, "who", ()), people)
            yield replace(read(item), layer=document.layer, note=note)


def _strange(row: Row, agents: Collection[str], tools: Collection[str]) -> str:
    about = "" if row.tool.startswith("(") else row.tool
    return "; ".join(filter(None, [strange_agent(row.agent, agents), strange_glob(about, tools), row.note]))


def _of_rule(rule: Rule) -> Row:
    when = rule.when.text if rule.when else ""
    names = (rule.tool or rule.tools, rule.agent, rule.user, rule.mode)
    return Row("", str(rule.entry.line), *names, when, *_terms(rule))


def _of_ceiling(ceiling: Ceiling) -> Row:
    return Row("", str(ceiling.entry.line), f"(above {ceiling.privilege})", ceiling.agent, mode="disabled")


def _of_limit(limit: Limit) -> Row:
    check = limit.check
    return Row("", str(limit.entry.line), limit.tool or limit.tools, mode="check", when=f"{check.name}: {check.terms}")


def _of_asking(asking: Asking) -> Row:
    who, expires = _terms(asking)
    return Row("", _line(asking.rule), "(whatever asks)", mode="ask", who=who, expires=expires)


def _of_budget(budget: Budget) -> Row:
    limits = ", ".join([said(kind, limit) for kind, limit in budget.limits.items()])
    when = f"over {limits} per {' and '.join(budget.per)}; warns at {budget.warn_at:.0%}"
    return Row("", _line(budget.rule), f"(budget {budget.name})", budget.agent, budget.user, "stop", when)


def _of_mask(mask: Mask) -> Row:
    what = mask.kind or f"regex {mask.regex}"
    if mask.columns or mask.function is not None:
        what = f"column {', '.join(mask.columns)}" if mask.columns else f"function {mask.name}"
    more = [*(["put back in answers"] if mask.restore else []), *(["local models too"] if mask.local else [])]
    return Row("", _line(mask.rule), "(sent to models)", mode="mask", when="; ".join([what, *more]))


def _of_kernel() -> Iterator[Row]:
    """What `assent.mask` has added."""
    for mask in own():
        yield replace(_of_mask(mask), layer="kernel", line="")


def _of_local_only(local: LocalOnly) -> Row:
    return Row("", _line(local.rule), "(sent to models)", mode=LOCAL_ONLY, when=local.name)


def _of_trust(trust: Trust) -> Row:
    return Row("", _line(trust.by), f"({trust.source})", mode="trust", when=trust.reason, expires=_moment(trust.until))


def _of_waiver(waiver: Waiver) -> Row:
    tool = waiver.tool or f"(budget {waiver.budget})"
    user = "" if waiver.user == EVERYBODY else waiver.user
    return Row(
        "", _line(waiver.by), tool, waiver.agent, user, "waive", waiver.reason, expires=_moment(waiver.until)
    )  # fmt: skip


def _of_modes(modes: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    for name, policy in modes.items():
        for tool, mode in policy.items():
            yield Row(name, "", tool, mode=mode)


def _terms(item: Rule | Asking) -> tuple[str, str]:
    """Who may answer, and in which time."""
    names = ", ".join(item.who)
    many = f"{item.approvers} of {names}" if names else f"{item.approvers} people"
    return names if item.approvers == 1 else many, "" if item.expires is None else spell(item.expires)


def _line(rule: str) -> str:
    return rule.rpartition(":")[2]


def _moment(until: datetime) -> str:
    return f"{until:%Y-%m-%d %H:%M} UTC"


# How each section's entries are told, as its owner has read them.
_SECTIONS: Mapping[str, Callable[[Any], Row]] = {
    "rule": _of_rule,
    "agents": _of_ceiling,
    "ask": _of_asking,
    "risk": _of_limit,
    "budget": _of_budget,
    "mask": _of_mask,
    "local_only": _of_local_only,
    "trust": _of_trust,
    "waiver": _of_waiver,
}
