"""A run in a notebook: the live transcript and its cards, each replaced by a static form once it is settled."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from IPython.display import DisplayHandle, display

from assent.core.approval import Decided, Pending
from assent.core.commands import Decide
from assent.core.errors import AssentError
from assent.core.events import Event, Progress
from assent.jupyter.gate import GATE
from assent_widgets.approval import decided_bundle
from assent_widgets.transcript import Transcript

INTERVAL = 0.08  # seconds between updates: faster ones are dropped by the server when many come at once


class PanelView:
    """Shows a run by widgets. Clicks may arrive on any thread; `decide` and `stop` must stand that."""

    def __init__(self, decide: Callable[[Decide], object], stop: Callable[[str], object]) -> None:
        from assent_widgets.live import LiveRun  # anywidget takes 0.2 s to import

        self.transcript = Transcript()
        self._decide = decide
        self._stop = stop
        self._live = LiveRun(self.transcript)
        self._live.on_stop(stop)
        GATE.open(self._live.comm.comm_id, self._stopped)
        self._handle = _shown(self._live)
        self._cards: dict[str, Card] = {}
        self._ticking: asyncio.TimerHandle | None = None

    def take(self, item: Event | Progress) -> None:
        """Apply one more event or delta; the display follows within `INTERVAL`."""
        self.transcript.apply(item)
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(INTERVAL, self._publish)

    async def ask(self, pending: Pending) -> None:
        """Show a card; the answer comes by a click."""
        self._cards[pending.call] = Card(pending, self._decide)

    def settle(self, call: str, decided: Decided) -> None:
        """Give a card its final form."""
        if card := self._cards.get(call):
            card.settle(decided)

    def end(self) -> None:
        """Leave the static transcript in place of the live one; cards nobody has answered stay alive."""
        if self._ticking is not None:
            self._ticking.cancel()
        self._live.publish()
        GATE.close(self._live.comm.comm_id)
        self._handle.update(self.transcript.bundle(), raw=True)
        self._live.close()

    def _stopped(self, content: Mapping[str, Any]) -> None:
        self._stop(str(content.get("run", "")))

    def _publish(self) -> None:
        self._ticking = None
        self._live.publish()


class Card:
    """One approval card in a notebook, alive until it is settled."""

    def __init__(self, pending: Pending, decide: Callable[[Decide], object]) -> None:
        from assent_widgets.card import ApprovalCard  # anywidget takes 0.2 s to import

        self._pending = pending
        self._decide = decide
        self._widget = ApprovalCard(pending)
        self._open = True
        self._lock = threading.Lock()
        self._comm = self._widget.comm.comm_id
        self._widget.on_decision(self._clicked)
        GATE.open(self._comm, self._clicked)
        self._handle = _shown(self._widget)

    def settle(self, decided: Decided) -> None:
        """Replace the card by its static form; the first one to settle it wins."""
        with self._lock:
            if not self._open:
                return
            self._open = False
        GATE.close(self._comm)
        self._widget.status = "approved" if decided.verdict == "approve" else "rejected"
        self._handle.update(decided_bundle(self._pending, decided), raw=True)

    def _clicked(self, content: Mapping[str, Any]) -> None:
        try:
            self._decide(command_of(content))
        except AssentError as error:
            self._widget.refuse(str(error))


def command_of(content: Mapping[str, Any]) -> Decide:
    """The command in a card's message."""
    return Decide(
        call=str(content.get("call", "")),
        verdict="approve" if content.get("verdict") == "approve" else "reject",
        reason=str(content.get("reason") or ""),
        arguments=content.get("arguments"),
        scope="run" if content.get("scope") == "run" else "once",
        outcome=content.get("outcome"),
    )


def _shown(widget: Any) -> DisplayHandle:
    handle: DisplayHandle = display(widget, display_id=True)
    return handle
