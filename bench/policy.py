"""How long a decision takes: under 200 rules, beside the same decision under none."""

import time
from collections.abc import Sequence
from statistics import median
from types import MappingProxyType

from assent.core.reading import Reading
from assent.policy.decide import decide
from assent.policy.document import read
from assent.policy.facts import Call, Facts, facts
from assent.policy.layers import NONE, Layers
from bench.report import Figure
from bench.sizes import Sizes

RULES = 200
TOOLS = 200
_BATCH = 100  # decisions timed at once: the clock itself takes a tenth of a microsecond
_ARGUMENTS = MappingProxyType({"amount": 60.5, "url": "https://api.bank.com/v1/pay", "path": "data/in.csv"})
_TWICE = "the same, judged as written and as the tool gets it"
_PATH = '[[rule]]\ntool = "tool_7"\nmode = "auto"\nwhen = "path within data/"'


def measure(sizes: Sizes) -> list[Figure]:
    """In turns, so that a busy machine is as slow for each."""
    policies = {
        f"p50 of a decision, {RULES} rules for as many tools": [_rule(f"tool_{number}") for number in range(RULES)],
        f"the same, {RULES} globs of which {RULES // 20} name the tool": [_glob(number) for number in range(RULES)],
        f"the same, {RULES} conditions on one argument of this one tool": [_amount(number) for number in range(RULES)],
        f"the same, {RULES} of two comparisons": [_pair(number) for number in range(RULES)],
        _TWICE: [_amount(number) for number in range(RULES)],
        f"the same, {RULES} lists of hosts": [_hosts(number) for number in range(RULES)],
        "the same, one rule with a path, which asks the file system": [_PATH],
    }
    works = [(_facts(rules), name == _TWICE) for name, rules in policies.items()]
    none, *loaded = _medians([(_facts([]), False), *works], sizes.rounds)
    return [Figure(name, value, "µs", floor=none, aim=20) for name, value in zip(policies, loaded, strict=True)]


def _rule(tool: str) -> str:
    when = 'amount <= 1000 and url.host in ["api.bank.com", "*.example.com"]'
    return f'[[rule]]\ntool = "{tool}"\nmode = "auto"\nwhen = \'{when}\''


def _glob(number: int) -> str:
    name = "tool_7*" if number % 20 == 0 else f"other_{number}_*"
    return f'[[rule]]\ntools = "{name}"\nmode = "ask"\nwhen = "amount > {number + 1000}"'


def _amount(number: int) -> str:
    return f'[[rule]]\ntool = "tool_7"\nmode = "ask"\nwhen = "amount > {number + 1000}"'


def _pair(number: int) -> str:
    when = f"amount > {number + 1000} or path in ['raw/{number}', 'out/{number}']"
    return f'[[rule]]\ntool = "tool_7"\nmode = "ask"\nwhen = "{when}"'


def _hosts(number: int) -> str:
    return f'[[rule]]\ntool = "tool_7"\nmode = "ask"\nwhen = \'url.host in ["x{number}.com", "*.y{number}.com"]\''


def _facts(rules: Sequence[str]) -> Facts:
    names = [f"tool_{number}" for number in range(TOOLS)]
    layers = Layers((read("\n".join(rules), "policy.toml", "workspace"),)) if rules else NONE
    made = facts(
        dict.fromkeys(names, "execute_safe"), dict.fromkeys(names, "auto"), {}, layers, agent="analyst", user="ana"
    )
    assert decide(Call("tool_7", _ARGUMENTS), made).name == "allow"
    return made


def _medians(works: Sequence[tuple[Facts, bool]], rounds: int) -> list[float]:
    """The median time of a decision under each, in µs; where it is so said, of a call whose tool gets other values."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(rounds * 10):
        for (rules, twice), times in zip(works, spent, strict=True):
            gets = {**_ARGUMENTS, "amount": 61}
            call = Call("tool_7", dict(_ARGUMENTS), reading=Reading(_ARGUMENTS, {}, gets) if twice else None)
            began = time.perf_counter()
            for _ in range(_BATCH):
                decide(call, rules)
            times.append((time.perf_counter() - began) / _BATCH * 1e6)
    return [median(times) for times in spent]
