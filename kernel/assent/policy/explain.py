"""Why a call is decided as it is: what every voice says of it, rule by rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assent.policy.asking import Asking
from assent.policy.condition import told
from assent.policy.decide import VOICES, decide
from assent.policy.facts import Call, Facts, Voice
from assent.policy.modes import by_mode
from assent.policy.rule import Rule, by_rule, says
from assent.policy.verdict import Allow, Ask, Decision, Deny

BUILT_IN = "built-in"
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Said:
    """What one voice, or one rule, says: allow, ask, deny or nothing; terms where it says how a question is put.

    `decides`: the call is decided as it says.
    """

    voice: str
    line: str
    says: str
    why: str
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision, and all that was said of it."""

    call: Call
    decision: Decision
    said: tuple[Said, ...]

    @property
    def rule(self) -> str:
        """The line that decides; "built-in" where none does."""
        return self.decision.rule or next((item.line for item in self.said if item.decides), BUILT_IN)

    def __str__(self) -> str:
        verbs = {"allow": "runs on its own", "ask": "asks", "deny": "is denied"}
        decision = self.decision
        text = f"{self.call.tool} {verbs[decision.name]} ({self.rule}): {decision.reason.rstrip('.')}."
        return f"{text} {_answers(decision)}".rstrip()


def explain(call: Call, facts: Facts, modes: Mapping[str, str]) -> Explained:
    """A call decided, and why. `modes`: what the settings and the agent say of the tool, by who says it."""
    decision = decide(call, facts)
    said = [item for voice in VOICES for item in _said(voice, call, facts, modes)]
    asking: tuple[Asking, ...] = facts.layers.of("ask")
    if isinstance(decision, Ask):
        said += [Said("ask", item.rule, "terms", _terms(item.approvers, item.who, item.expires)) for item in asking]
    return Explained(call, decision, tuple(_marked(said, decision)))


def _said(voice: Voice, call: Call, facts: Facts, modes: Mapping[str, str]) -> Iterator[Said]:
    decision = voice(call, facts)
    if voice is by_mode and decision is not None:
        strict = [name for name, mode in modes.items() if mode == facts.policy.get(call.tool) != "auto"]
        yield Said("privilege", strict[0] if strict else BUILT_IN, decision.name, decision.reason)
    elif voice is by_rule:
        yield from [_of_rule(rule, call, facts) for rule in facts.layers.of("rule") if rule.names(call.tool)]
        if isinstance(decision, Allow):
            yield Said("waiver", decision.rule, "allow", "; ".join(text for _, text in decision.notes))
    elif decision is not None:
        name = voice.__name__.removeprefix("by_")
        yield Said(name, decision.rule or BUILT_IN, decision.name, decision.reason)


def _of_rule(rule: Rule, call: Call, facts: Facts) -> Said:
    where = rule.entry.rule
    if not rule.concerns(facts.agents, facts.user):
        whose = f"the agent {rule.agent}" if rule.agent else f"runs of {rule.user}"
        return Said("rule", where, NOTHING, f"it is for {whose}")
    if (decision := says(rule, call, facts)) is not None:
        return Said("rule", where, decision.name, decision.reason)
    if rule.mode == "auto":
        held = f"{rule.when.text} holds" if rule.when else "it says auto"
        return Said("rule", where, NOTHING, f"{held}, so it does not tighten; no rule loosens")
    if rule.when is None:
        return Said("rule", where, NOTHING, "allowed for this run")
    return Said("rule", where, NOTHING, f"{rule.when.text} does not hold: {told(rule.when, call.forms[0])}")


def _marked(said: list[Said], decision: Decision) -> Iterator[Said]:
    """Whose word it is: of several denials the first counts, of several questions each."""
    done = False
    for item in said:
        decides = item.says == decision.name and not (done and isinstance(decision, Deny))
        done = done or decides
        yield Said(item.voice, item.line, item.says, item.why, decides)


def _answers(decision: Decision) -> str:
    if not isinstance(decision, Ask):
        return ""
    terms = _terms(decision.approvers, decision.who, decision.expires)
    return f"{terms if decision.who else terms[0].upper() + terms[1:]}."


def _terms(approvers: int, who: tuple[str, ...], expires: float | None) -> str:
    if who:
        people = f"{' or '.join(who)} answers" if approvers == 1 else f"{approvers} of {', '.join(who)} answer"
    else:
        people = "1 person answers" if approvers == 1 else f"{approvers} people answer"
    return f"{people}{'' if expires is None else f', within {spell(expires)}'}"


def spell(seconds: float) -> str:
    """A time as a policy writes it: 2h, 30m."""
    units = ((604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"))
    return next((f"{seconds / size:g}{unit}" for size, unit in units if seconds % size == 0), f"{seconds:g}s")
