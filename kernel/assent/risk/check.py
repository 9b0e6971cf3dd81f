"""A risk check: a frozen value with one function, from what is to be done to what it makes of that."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assent.core.canonical import plain
from assent.core.errors import ConfigError
from assent.core.words import words
from assent.risk.amount import amount
from assent.risk.quota import Quota

Verdict = Literal["ok", "ask", "deny"]
_ORDER: tuple[Verdict, ...] = ("ok", "ask", "deny")


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done. `facts` is what is known beyond the arguments, None as long as nobody has looked."""

    tool: str
    arguments: Mapping[str, Any]
    facts: Mapping[str, Any] | None = None

    def argument(self, name: str) -> Any:
        """An argument that a check needs, with dots for what is within it.

        A default of the tool's is none, for the model has not said it.
        """
        value: Any = self.arguments
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            raise ValueError(f"{name} is not given: say it, so that it can be checked")
        return value

    def fact(self, name: str) -> Any:
        """A fact that a check needs."""
        facts = self.facts or {}
        if facts.get(name) is None:
            why = f" ({facts[FAILED]})" if FAILED in facts else ""
            raise ValueError(f"{name} is not known, so this cannot be checked{why}")
        return facts[name]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says: ok, ask (over a soft limit) or deny, with a sentence that names the figure and the limit."""

    verdict: Verdict
    sentence: str = ""
    label: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """`look` judges an act; what it raises is a denial. `terms` is what it stands for, in words.

    `arguments` are those that it looks at; `needs` are the facts that it must be given; `quota` is what it counts in
    the journal, where it counts something; `own` is the function of a user whose check it is; `rule` names the line of
    a policy that it comes from.
    """

    name: str
    terms: str
    look: Callable[[Act], Finding] = field(repr=False)
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    quota: Quota | None = None
    own: Callable[..., Any] | None = None
    rule: str = ""
    fact: str = field(init=False, repr=False, compare=False)  # of its quota: worked out once, for it is a text

    def __post_init__(self) -> None:
        object.__setattr__(self, "fact", self.quota.fact if self.quota else "")


Checks = tuple[Check, ...]
FAILED = "failed"  # among the facts: why others are not there


_OK = Finding("ok")


def ok(sentence: str = "") -> Finding:
    return Finding("ok", sentence) if sentence else _OK


def ask(sentence: str) -> Finding:
    return Finding("ask", sentence)


def deny(sentence: str) -> Finding:
    return Finding("deny", sentence)


def examine(checks: Iterable[Check], *forms: Act) -> list[Finding]:
    """What each check says of an act, in their order; those that lack what nobody has looked up yet say nothing.

    Of several forms of one act (as the tool gets it, as it was written) the worst counts.
    """
    said = [[found for act in forms if (found := _examined(check, act)) is not None] for check in checks]
    return [worst(found) if len(found) > 1 else found[0] for found in said if found]


def worst(findings: Iterable[Finding]) -> Finding:
    """The finding that counts: the first of the strictest."""
    return max(findings, key=lambda finding: _ORDER.index(finding.verdict), default=_OK)


def checked(checks: Any) -> Checks:
    """The checks of a tool as a tuple; `ConfigError` where something else was given."""
    found = (checks,) if isinstance(checks, Check) else tuple(checks)
    if wrong := [item for item in found if not isinstance(item, Check)]:
        raise ConfigError(f"{wrong[0]!r} is no risk check: use those of assent.risk, or own(FUNCTION) for yours.")
    return found


def _examined(check: Check, act: Act) -> Finding | None:
    if act.facts is None and check.needs:
        return None
    found: Finding | None
    try:
        found = _seen(check, act)
    except ValueError as error:
        found = deny(words(error))
    except Exception as error:
        found = deny(f"the check raised {type(error).__name__}: {words(error)}")
    return found and Finding(found.verdict, found.sentence, check.name, found.rule or check.rule)


def _seen(check: Check, act: Act) -> Finding | None:
    for name in check.needs:
        act.fact(name)
    if check.quota and check.fact not in (act.facts or {}):
        if check.quota.argument:
            amount(act.argument(check.quota.argument))
        return None  # what is used is held when it is reserved, whether somebody has looked before or not
    found = check.look(act)
    if not isinstance(found, Finding) or found.verdict not in _ORDER:
        raise ValueError(f"the check gave {plain(found)!r}, which is no finding")
    return found
