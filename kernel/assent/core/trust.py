"""A person's word that a source may be believed: for a run, a session or the workspace, until a moment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from assent.core.errors import ConfigError

Scope = Literal["run", "session", "workspace"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Trust:
    """That `source`, written KIND:NAME, may be believed until `until` (UTC), in one `run`, one `session` or everywhere.

    `by` is who says so, or the line of the organisation's file. What KIND:NAME means is `policy.trust`'s to say.
    """

    id: str
    source: str
    reason: str
    by: str
    until: datetime
    scope: Scope = "session"
    run: str = ""
    session: str = ""
    user: str = ""
    tenant: str = "default"

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise ConfigError(f"{self.scope!r} is no scope; there are {', '.join(SCOPES)}.")
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise ConfigError('Trust needs a reason: --reason "…". Whoever looks at it later reads it.')

    def to_json(self) -> dict[str, Any]:
        """As the journal keeps it; tenant and user are columns there."""
        value = {name: item for name, item in asdict(self).items() if item and name not in ("user", "tenant")}
        return value | {"until": self.until.astimezone(UTC).isoformat()}


def from_json(value: Mapping[str, Any], user: str, tenant: str) -> Trust:
    """Trust from the body of its event, and the columns that say whose it is."""
    until = datetime.fromisoformat(value["until"])
    names = ("id", "source", "reason", "by", "scope", "run", "session")
    return Trust(**{name: value[name] for name in names if name in value}, until=until, user=user, tenant=tenant)
