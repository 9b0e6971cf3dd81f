"""A waiver: somebody's word that a rule or a budget does not hold for a while, and why."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from assent.core.errors import ConfigError
from assent.core.glob import is_glob

EVERYBODY = "*"  # as the user of a waiver: everyone of the tenant. No person can be called so (store.access)
_SPAN = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Waiver:
    """What it loosens: the rules of a policy file for the calls of one `tool`, or the `budget` of that name.

    It holds until the moment `until` (UTC), for the runs of `user`, EVERYBODY being all of the `tenant`; of one `agent`
    where that is named. `by` is who gave it, or the line of the organisation's file. It never loosens what a tool's
    privilege asks for. `ConfigError` where it says too much or too little.
    """

    id: str
    reason: str
    by: str
    until: datetime
    tool: str = ""
    budget: str = ""
    agent: str = ""
    user: str = EVERYBODY
    tenant: str = "default"

    def __post_init__(self) -> None:
        if bool(self.tool) == bool(self.budget):
            raise ConfigError("A waiver is for one tool or for one budget: name the one or the other.")
        if not all(isinstance(item, str) for item in (self.tool, self.budget, self.agent, self.user)):
            raise ConfigError("A waiver names its tool, budget, agent and user by text.")
        if is_glob(self.tool):
            raise ConfigError(f"A waiver is for one tool, and {self.tool!r} is a pattern: give one for each tool.")
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise ConfigError('A waiver needs a reason: --reason "…". Whoever is asked later reads it.')
        if self.until.tzinfo is None:
            raise ConfigError("The end of a waiver needs its time zone.")

    @property
    def what(self) -> str:
        """What it loosens, for whom, as people say it."""
        named = f"the rules for {self.tool}" if self.tool else f"the budget {self.budget}"
        agent = f" of the agent {self.agent}" if self.agent else ""
        return f"{named}{agent}{'' if self.user == EVERYBODY else f' for {self.user}'}"

    @property
    def note(self) -> tuple[str, str]:
        """What every decision that it made possible says of it."""
        return "Waiver", f"{self.id} by {self.by} until {self.until:%Y-%m-%d %H:%M} UTC: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """As the journal keeps it; tenant and user are columns there."""
        value = {name: item for name, item in asdict(self).items() if item and name not in ("user", "tenant")}
        return value | {"until": self.until.astimezone(UTC).isoformat()}


def from_json(value: Mapping[str, Any], user: str, tenant: str) -> Waiver:
    """A waiver from the body of its event, and the columns that say whose runs it is for."""
    until = datetime.fromisoformat(value["until"])
    named = {name: value[name] for name in ("id", "reason", "by", "tool", "budget", "agent") if name in value}
    return Waiver(**named, until=until, user=user, tenant=tenant)


def covering(waivers: Iterable[Waiver], *, tool: str = "", budget: str = "", firm: bool = False) -> Waiver | None:
    """The one that loosens the rules for a tool, or a budget; of several the one that holds longest.

    What is `firm`, the organisation's, yields to a waiver of the organisation's file only, or one person could undo it.
    """
    found = [item for item in waivers if (item.tool, item.budget) == (tool, budget)]
    found = [item for item in found if item.tenant == EVERYBODY] if firm else found
    return max(found, key=lambda item: item.until, default=None)


def end_of(text: Any, now: float) -> datetime:
    """When a waiver ends: "2h" from `now` (m, h, d, w), a date (to its end), or a moment; UTC where no zone is said."""
    if isinstance(text, str) and (match := _SPAN.fullmatch(text.strip())):
        until = datetime.fromtimestamp(now, UTC) + timedelta(**{_UNITS[match[2]]: int(match[1])})
    else:
        until = moment(text)
    if until.timestamp() <= now:
        raise ConfigError(f"It would end at {until:%Y-%m-%d %H:%M} UTC, which is past. Give a later end.")
    return until


def moment(text: Any) -> datetime:
    """A date (its end) or a moment, as text or as TOML has it; UTC where no zone is said."""
    value = text
    if isinstance(text, str):
        try:
            value = date.fromisoformat(text.strip()) if len(text.strip()) <= 10 else datetime.fromisoformat(text)
        except ValueError:
            value = None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC) + timedelta(days=1)
    raise ConfigError(f'{text!r} is no end: write "2h", "3d", a date such as 2026-11-30, or "2026-11-30 14:00".')
