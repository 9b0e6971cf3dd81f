"""`%agent budgets`: what is left of each."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assent.core.budget import said
from assent.core.errors import ConfigError
from assent.core.waiver import Waiver, covering
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.tables import table

if TYPE_CHECKING:
    from assent.runs.standing import Standing


def budgets(desk: Desk, rest: str) -> Any:
    """The budgets that the runs of an agent are under, as a table."""
    words, _ = options.split(rest, options.NONE)
    if len(words) > 1:
        raise ConfigError("Give one agent or none: %agent budgets NAME.")
    agent = desk.session.agent(words[0] if words else desk.config.agent).name
    rows = desk.session.budgets(agent)
    if not rows:
        print("No budget holds. [[budget]] in policy.toml sets one, %%agent --budget 0.50 one for a run.")
        return None
    waivers = [item for item in desk.session.waivers.live() if item.agent in ("", agent)]
    return table([_row(row, covering(waivers, budget=row.budget.name)) for row in rows])


def _row(row: "Standing", waiver: Waiver | None) -> dict[str, str]:
    """Where each run has its own, nothing is spent or left of it here."""
    spent, left = "", ""
    if row.spent is not None:
        spent, left = said(row.kind, row.spent), said(row.kind, max(row.limit - row.spent, Decimal(0)))
    return {
        "budget": row.budget.name, "per": " and ".join(row.budget.per), "limit": said(row.kind, row.limit),
        "spent": spent, "left": left,
        "waived until (UTC)": f"{waiver.until:%Y-%m-%d %H:%M}" if waiver else "", "stands in": row.budget.rule,
    }  # fmt: skip
