"""How freely a run may act, from the loosest mode to the tightest."""

from typing import Literal, get_args

from assent.core.errors import ConfigError

RunMode = Literal["auto", "strict", "dry-run"]

RUN_MODES: tuple[str, ...] = get_args(RunMode)
PLAN = "plan"  # the tool by which a strict run lays its plan before a person


def tightest(*modes: str) -> str:
    """The mode that holds where several are named, "" naming none; one that does not exist is tighter than any."""
    return max([mode for mode in modes if mode], key=_order, default="auto")


def check_run_mode(mode: str) -> None:
    """Refuse a mode that does not exist: `ConfigError`."""
    if mode not in RUN_MODES:
        raise ConfigError(f"The mode of a run is {mode!r}; it must be {', '.join(RUN_MODES[:-1])} or {RUN_MODES[-1]}.")


def _order(mode: str) -> int:
    return RUN_MODES.index(mode) if mode in RUN_MODES else len(RUN_MODES)
