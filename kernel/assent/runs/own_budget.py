"""The budget that a person gives a run as it begins or goes on, beside those of the policy."""

from collections.abc import Iterable
from decimal import Decimal

from assent.core.budget import Budget, amount
from assent.core.errors import ConfigError
from assent.core.events import Event
from assent.runs.purse import Purse, purse
from assent.runs.state import State

NAME = "run"


def own_budget(dollars: Decimal | None) -> dict[str, str]:
    """What the event says that begins the run, or goes on with it; `ConfigError` where it is no amount."""
    if dollars is None:
        return {}
    try:
        return {"budget": f"{amount('money', dollars):f}"}
    except ValueError:
        raise ConfigError(f"A budget of {dollars!r} makes no sense: give US dollars, such as 0.50.") from None


def purse_of(state: State, budgets: Iterable[Budget], told: Iterable[Event]) -> Purse | None:
    """The purse of a run that has been told so far; its own budget stands first."""
    own = () if state.money is None else (Budget(NAME, ("run",), {"money": state.money}),)
    return purse([*own, *budgets], state.scope, told)
