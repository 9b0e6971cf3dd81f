"""Risk checks: limits on what a call or an act of one's own code may do, and what is reserved of them.

Owns the checks, and how what they count is kept in the journal; it does not own whether a call may run. The names below
are its public face: what one writes in `@tool(risk=…)` and in a check of one's own.
"""

from assent.core.errors import NothingDone
from assent.risk.check import Act, Check, Finding, ask, deny, ok
from assent.risk.limits import blacklist, max_amount, min_liquidity, own, slippage
from assent.risk.windows import cool_down, daily_volume, rate

__all__ = [
    "Act",
    "Check",
    "Finding",
    "NothingDone",
    "ask",
    "blacklist",
    "cool_down",
    "daily_volume",
    "deny",
    "max_amount",
    "min_liquidity",
    "ok",
    "own",
    "rate",
    "slippage",
]
