"""The journal's one record. A run is a list of these; everything else is a fold over them."""

import functools
import getpass
import os
import time
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What happened. The comment names what `body` holds."""

    AGENT_DEFINED = "agent_defined"  # the agent's fields
    CELL_RAN = "cell_ran"  # source, digest, count: [n], error, touched and taint as of a call; run: of --into
    NOTEBOOK_PLACED = "notebook_placed"  # id, was: where it was before; it is where the column `notebook` says
    # prompt, agent, mode, output (runs.output), images, fork (runs.branch), taint; held (runs.descent): why it may be
    # a child of the runs whose calls were at work; remarks: what there is to say of lines of the policy
    RUN_STARTED = "run_started"
    MODEL_ASKED = "model_asked"  # of one not on this machine: provider, host, parts, … (runs.outgoing)
    VARIABLE_MARKED = "variable_marked"  # names, local: only for models here from now on, or no more; by, derived: from
    MODEL_ANSWERED = "model_answered"  # message (core.messages), stop, bound: cut off there, cache_write, saved, asked
    MODEL_FAILED = "model_failed"  # error; asked: what models on this machine were, each as in model_asked
    MODEL_RETRIED = "model_retried"  # reason, restart; duration: how long until the next attempt
    MODEL_WAITED = "model_waited"  # reason; duration: how long a limit kept the request back
    MODEL_CACHED = "model_cached"  # reason; an answer from the response cache follows
    MODEL_REPLAYED = "model_replayed"  # reason; an answer out of a recording follows
    MODEL_FELL_BACK = "model_fell_back"  # reason, restart, to: the model that is asked instead
    CIRCUIT_OPENED = "circuit_opened"  # reason; duration: how long the model is not asked
    CIRCUIT_CLOSED = "circuit_closed"  # reason
    ANSWER_REFUSED = "answer_refused"  # text: what the model is told of an answer that does not fit, or was cut off
    # arguments, reason, approvers, who, until, policy_version, rule, notes, grant; dry: what would have been decided;
    # proposed_by: the call that wants this one, and why
    CALL_DECIDED = "call_decided"
    APPROVAL_DECIDED = "approval_decided"  # by, proved, reason, arguments if edited, scope, outcome, missing approvals
    APPROVAL_EXPIRED = "approval_expired"  # reason; nobody answered in time: the question is asked anew, or never
    GRANT_GIVEN = "grant_given"  # runs.lasting: id, scope, session, policy_version, by, until (epoch seconds)
    GRANT_REVOKED = "grant_revoked"  # id, by, reason
    CALL_STARTED = "call_started"  # arguments
    CALL_FINISHED = "call_finished"  # text, error, display: its needs; touched (tools), read, taint (core); proposals
    RISK_RESERVED = (
        "risk_reserved"  # reservation: the call's id, or its own; amounts: what counts, by argument, as text
    )
    RISK_COMMITTED = "risk_committed"  # as reserved; at: when that was, in microseconds since the epoch
    RISK_ROLLED_BACK = "risk_rolled_back"  # as committed: it counts no more
    STOP_REQUESTED = "stop_requested"  # then: pause or cancel, seconds: 0 at once, None as long as it takes; reason, by
    RUN_SUSPENDED = "run_suspended"  # reason; budget: the one that stops it, as below, and its kind
    RUN_PAUSED = "run_paused"  # reason, by, partial: what the model had said of the answer that was cut off
    RUN_RESUMED = "run_resumed"  # reason; mode where it is tighter from now on; held and remarks, as above
    RUN_FINISHED = "run_finished"  # text
    RUN_CANCELLED = "run_cancelled"  # reason; by and partial as above
    RUN_FAILED = "run_failed"  # error
    BUDGET_OPENED = (
        "budget_opened"  # budgets (core.budget, key, spent, others), estimate: tokens, least, runs, median, most
    )
    BUDGET_RESERVED = "budget_reserved"  # budget, key, until: how far the run may go on its own
    BUDGET_WARNED = "budget_warned"  # a budget as above; kind, text
    BUDGET_WAIVED = "budget_waived"  # a budget as above; kind, text, waiver: by which the run goes on
    WAIVER_GRANTED = (
        "waiver_granted"  # core.waiver: id, tool or budget, agent, reason, by, until; user: whose runs, * all
    )
    SOURCE_TRUSTED = "source_trusted"  # core.trust: id, source as KIND:NAME, scope, run, session, reason, by, until
    TRUST_REVOKED = "trust_revoked"  # id, by
    WAIVER_ENDED = "waiver_ended"  # id, by: ended before its time
    CHAIN_SIGNED = "chain_signed"  # store.sign: jws, key: the public one, seq and head: of the event signed, by
    MEMORY_ADDED = (
        "memory_added"  # collection, items, texts: how many, and how many of them new; digest, known (memory)
    )
    MEMORY_FORGOTTEN = "memory_forgotten"  # items: how many; ids: of a few; passages: that left the index; by
    COMPACTED = "compacted"  # rules, by, forgotten: how many so far; digest over them (store.chain); until, purged: seq


ENDINGS = frozenset({Kind.RUN_FINISHED, Kind.RUN_CANCELLED, Kind.RUN_FAILED, Kind.RUN_SUSPENDED, Kind.RUN_PAUSED})
LIFECYCLE = ENDINGS | {Kind.RUN_STARTED, Kind.RUN_RESUMED}
# What a run at work has to hear of, wherever said.
CONTROL = frozenset(
    {
        Kind.APPROVAL_DECIDED, Kind.APPROVAL_EXPIRED, Kind.GRANT_GIVEN, Kind.GRANT_REVOKED, Kind.STOP_REQUESTED,
        Kind.WAIVER_GRANTED, Kind.WAIVER_ENDED, Kind.SOURCE_TRUSTED, Kind.TRUST_REVOKED,
        Kind.MEMORY_ADDED, Kind.MEMORY_FORGOTTEN,
    }
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Event:
    """One line of the journal. Of its fields `seq`, `hash`, `prev` and `batch` are set by the writer as it commits.

    `at` is seconds since the epoch; `duration` seconds; `cost` US dollars; tokens as in `core.model.Usage`.
    """

    kind: Kind
    run: str | None = None
    parent: str | None = None
    step: int | None = None
    at: float = field(default_factory=time.time)
    tenant: str = "default"
    user: str = ""
    agent: str | None = None
    notebook: str | None = None
    cell: str | None = None
    model: str | None = None
    tool: str | None = None
    call: str | None = None
    privilege: str | None = None
    decision: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Decimal | None = None
    duration: float | None = None
    body: dict[str, Any] = field(default_factory=dict)
    seq: int = 0
    hash: str = ""
    prev: str = ""
    batch: str | None = None  # "writer.number": which writer's which commit


@dataclass(frozen=True, slots=True)
class Scope:
    """Who and where: the columns that every event of a run shares."""

    run: str | None = None
    parent: str | None = None
    agent: str | None = None
    user: str = ""
    notebook: str | None = None
    cell: str | None = None
    tenant: str = "default"

    def owns(self, event: Event) -> bool:
        """Whether an event is of the same tenant and user: what others write in a run's name is no part of it."""
        return (event.tenant, event.user) == (self.tenant, self.user)

    def event(self, kind: Kind, **columns: Any) -> Event:
        return Event(
            kind=kind, run=self.run, parent=self.parent, agent=self.agent, tenant=self.tenant, user=self.user,
            notebook=self.notebook, cell=self.cell, **columns,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """Something fleeting that a display may show and the journal does not keep: a delta of a model's answer."""

    run: str
    step: int
    delta: Any


def current_user() -> str:
    """Whom events name as the person: ASSENT_USER, or the login name."""
    if named := os.environ.get("ASSENT_USER"):
        return named
    return _login()


@functools.cache
def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"
