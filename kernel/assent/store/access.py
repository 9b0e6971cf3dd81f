"""Who may see what: a session's part of the workspace, and how a connection is confined to it."""

from dataclasses import astuple, dataclass, fields

import duckdb

from assent.core.errors import ConfigError
from assent.core.events import Event, Scope
from assent.store.schema import EVERY, SCOPED


@dataclass(frozen=True, slots=True)
class Access:
    """The rows that a session sees: those whose columns have these values. None does not narrow."""

    tenant: str | None = None
    user: str | None = None
    agent: str | None = None
    notebook: str | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            if getattr(self, item.name) == EVERY:
                raise ConfigError(f"No {item.name} can be called {EVERY!r}. Give another name.")

    def covers(self, event: Event | Scope) -> bool:
        """Whether an event, or what a run writes, is among the rows."""
        return (
            self.tenant in (None, event.tenant)
            and self.user in (None, event.user)
            and self.agent in (None, event.agent)
            and self.notebook in (None, event.notebook)
        )

    def allows(self, event: Event | Scope) -> bool:
        """Whether a session may write an event: one of its rows, or one that is of no agent or no notebook."""
        return (
            self.tenant in (None, event.tenant)
            and self.user in (None, event.user)
            and (self.agent is None or event.agent in (None, self.agent))
            and (self.notebook is None or event.notebook in (None, self.notebook))
        )

    def __str__(self) -> str:
        """The narrowed columns, as in `tenant default, user ana`."""
        named = zip([item.name for item in fields(self)], astuple(self), strict=True)
        return ", ".join(f"{name} {value}" for name, value in named if value is not None) or "everyone"


EVERYONE = Access()  # the administrator's


def confine(cursor: duckdb.DuckDBPyConnection, access: Access, schema: str = SCOPED) -> None:
    """Make the names of the journal's table and views mean the part of them that `access` gives, on this cursor.

    `schema` is one of those that `store.schema.views` makes for it. What a statement may name besides (`main.events`, a
    function that reads tables) is for `store.fence` to refuse.
    """
    if access == EVERYONE:
        return
    for item in fields(access):
        value = getattr(access, item.name)
        cursor.execute(f"SET VARIABLE {SCOPED}_{item.name} = ?", [EVERY if value is None else value])
    cursor.execute(f"USE {schema}")
