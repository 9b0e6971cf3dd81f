"""How the budgets of a policy stand, for whoever asks: what is spent of each, and what runs at work have reserved."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from assent.core.budget import Budget
from assent.core.clock import CLOCK
from assent.core.events import Scope
from assent.runs.pool import DAY, others, part_of
from assent.runs.purse import is_for
from assent.store.window import Window


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit of a budget. `spent` is None where each run has its own; what runs at work have reserved is in it."""

    budget: Budget
    kind: str
    limit: Decimal
    spent: Decimal | None


def standing(journal: Window, budgets: Iterable[Budget], scope: Scope) -> list[Standing]:
    """Every limit of the budgets that runs of `scope` are under, now."""
    now = CLOCK.now()
    rows = []
    for budget in budgets:
        if is_for(budget, scope):
            part = part_of(budget, scope, now - now % DAY) if not budget.own else None
            spent = others(journal, part, budget.limits, "") if part else {}
            rows += [Standing(budget, kind, limit, spent.get(kind)) for kind, limit in budget.limits.items()]
    return rows
