"""The budget that a person gives a run as it begins or goes on, beside those of the policy."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from assent.core.budget import Budget, amount
from assent.core.errors import ConfigError
from assent.core.events import Event
from assent.runs.purse import Purse, pots_above, pots_of, purse
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


def purse_of(
    state: State, budgets: Sequence[Budget], told: Iterable[Event], above: Iterable[State] = ()
) -> Purse | None:
    """The purse of a run that has been told so far; its own budget stands first, those of the runs above it last."""
    higher = [pot for item in above for pot in pots_above([*_given(item), *budgets], item.scope)]
    return purse([*pots_of([*_given(state), *budgets], state.scope), *higher], told)


def _given(state: State) -> tuple[Budget, ...]:
    return () if state.money is None else (Budget(NAME, ("run",), {"money": state.money}),)
