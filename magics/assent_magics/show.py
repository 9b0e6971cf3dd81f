"""A run on a view: its events go in, its questions are asked once each, its answers settle them."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol

from assent.core.approval import Decided, Pending
from assent.core.errors import StoreError
from assent.core.events import Event, Kind, Progress

if TYPE_CHECKING:
    from assent.app import Session


class View(Protocol):
    """Where a run is shown. `settle` may be called more than once for a call, `end` once.

    `ask` comes again for a call that is asked about anew, and `withdraw` where it is not asked about any more.
    """

    def take(self, item: Event | Progress) -> None: ...
    async def ask(self, pending: Pending) -> None: ...
    def settle(self, call: str, decided: Decided) -> None: ...
    def withdraw(self, call: str) -> None: ...
    def end(self) -> None: ...


class Show:
    """One run on one view. `asks` False: policy answers what asks, and no question is shown."""

    def __init__(self, view: View, session: "Session", run: str, *, asks: bool = True) -> None:
        self._view = view
        self._session = session
        self._run = run
        self._asks = asks
        self._last = 0  # the number of the last event that was shown
        self._asked: dict[str, asyncio.Task[None]] = {}

    def begin(self, first: Event | Progress) -> None:
        """A run that goes on, or a fork, is shown from its beginning, with the questions that are still open."""
        if isinstance(first, Event) and (first.kind is Kind.RUN_RESUMED or "fork" in first.body):
            for event in self._session.events(self._run):
                if event.seq < first.seq:
                    self._view.take(event)
            self._ask()

    def take(self, item: Event | Progress) -> None:
        """Show one more item of the stream."""
        self._view.take(item)
        if not isinstance(item, Event):
            return
        self._last = item.seq
        if item.kind is Kind.CALL_DECIDED:
            self._drop(item.call or "", anew=item.decision == "ask")
            self._ask()
        elif item.kind is Kind.APPROVAL_DECIDED and item.call not in self._waiting():
            self._view.settle(item.call or "", decided_of(item))

    def end(self) -> None:
        """The stream has ended: show what it left out because it was left early, stop asking, leave the final form."""
        with contextlib.suppress(StoreError):  # the workspace may be what failed
            for event in self._session.journal.events(self._run):
                if event.seq > self._last:
                    self._view.take(event)
        for task in self._asked.values():
            task.cancel()
        self._view.end()

    def _drop(self, call: str, *, anew: bool) -> None:
        """What was asked about a call before it was judged again is asked no more."""
        if (task := self._asked.pop(call, None)) is not None:
            task.cancel()
            if not anew:
                self._view.withdraw(call)

    def _ask(self) -> None:
        for call, pending in self._waiting().items() if self._asks else ():
            if call not in self._asked:
                self._asked[call] = asyncio.ensure_future(self._view.ask(pending))

    def _waiting(self) -> dict[str, Pending]:
        return {item.call: item for item in self._session.pending(self._run)}


def decided_of(event: Event) -> Decided:
    """What a person said, from its event."""
    body = event.body
    return Decided(
        verdict=event.decision if event.decision in ("approve", "happened") else "reject", by=body.get("by", ""),
        reason=body.get("outcome") or body.get("reason", ""), edited=body.get("arguments") is not None,
        scope=body.get("scope", "once"), at=event.at,
    )  # fmt: skip
