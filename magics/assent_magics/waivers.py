"""`%agent waive` and `%agent waivers`: loosening a rule or a budget for a while, and seeing who has."""

from typing import Any

from assent.core.errors import ConfigError
from assent.core.waiver import EVERYBODY
from assent.policy.entry import hint
from assent.tools.by_hand import by_hand
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.tables import table


def waive(desk: Desk, rest: str) -> None:
    """Loosen a rule or a budget until a moment that must be said, for a reason that must be said."""
    words, given = options.split(rest, options.WAIVE)
    by_hand("A waiver is a person's to give")
    if len(words) != 1:
        raise ConfigError('Give one tool or budget: %agent waive python --reason "…" --until 2h.')
    if missing := [name for name in ("reason", "until") if name not in given]:
        raise ConfigError(f"A waiver needs --{missing[0]}: {options.WAIVE[f'--{missing[0]}'].help}.")
    named = {"budget" if given.pop("budget", False) else "tool": words[0]}
    _check_known(desk, given.get("agent", ""), **named)
    waiver = desk.session.waivers.give(**named, **given, by=desk.session.user)
    until = f"{waiver.until:%Y-%m-%d %H:%M} UTC"
    print(f"The waiver {waiver.id} loosens {waiver.what} until {until}. %agent waivers end {waiver.id} ends it before.")


def waivers(desk: Desk, rest: str) -> Any:
    """The waivers that hold, as a table; or the end of one."""
    words, _ = options.split(rest, options.NONE)
    match words:
        case []:
            return _table(desk)
        case ["end", beginning]:
            ended = desk.session.waivers.end(beginning, desk.session.user)
            print(f"The waiver {ended.id} is over. It loosened {ended.what}.")
            return None
        case _:
            raise ConfigError("%agent waivers lists those that hold; %agent waivers end ID ends one.")


def _table(desk: Desk) -> Any:
    live = desk.session.waivers.live()
    if not live:
        print('No waiver holds. %agent waive TOOL --reason "…" --until 2h gives one.')
        return None
    return table(
        [
            {
                "waiver": item.id, "loosens": f"the budget {item.budget}" if item.budget else f"rules for {item.tool}",
                "agent": item.agent or "all", "user": "everybody" if item.user == EVERYBODY else item.user,
                "reason": item.reason, "by": item.by, "until (UTC)": item.until.replace(tzinfo=None, microsecond=0),
            }
            for item in live
        ]
    )  # fmt: skip


def _check_known(desk: Desk, agent: str, tool: str = "", budget: str = "") -> None:
    """A waiver for a misspelt name would loosen nothing, and nobody would notice; a pattern is refused later."""
    session = desk.session
    if agent:
        session.agent(agent)
    budgets = {row.budget.name for name in session.agents() for row in session.budgets(name)}
    if budget and budget not in budgets:
        raise ConfigError(f"There is no budget {budget!r}{hint(budget, budgets)}")
    if tool in budgets and tool not in session.tools():
        raise ConfigError(f"{tool!r} is a budget: say so with --budget.")
    if tool and tool.isidentifier() and tool not in session.tools():
        raise ConfigError(f"There is no tool {tool!r}{hint(tool, session.tools())}")
