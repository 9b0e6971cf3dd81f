"""A run in a notebook: the live transcript, replaced by its static form once the run has ended, and its cards."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from IPython.display import DisplayHandle, display

from assent.core.approval import Decided, Pending
from assent.core.events import Event, Kind, Progress
from assent.jupyter.gate import GATE
from assent_magics.board import Board, Decider
from assent_widgets.transcript import Transcript

INTERVAL = 0.08  # seconds between updates: faster ones are dropped by the server when many come at once


class PanelView:
    """Shows a run by widgets. Clicks may arrive on any thread; `decide`, `stop` and `pause` must stand that.

    A run that goes on after a click is shown in the same place: `open` again, and what was there is replaced.
    `notebook` is the id of the one that it is in.
    """

    def __init__(
        self,
        board: Board,
        decide: Decider,
        stop: Callable[[str], object],
        pause: Callable[[str], object],
        notebook: str | None = None,
        *,
        recorded: bool = False,
    ) -> None:
        self._board = board
        self._decide = decide
        self._stop = stop
        self._pause = pause
        self._notebook = notebook
        self._recorded = recorded
        self._asked: set[str] = set()
        self._handle: DisplayHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self.open()

    def open(self) -> None:
        """Begin to show a run, from nothing."""
        from assent_widgets.live import LiveRun  # anywidget takes 0.2 s to import

        self.transcript = Transcript(cards=True, notebook=self._notebook, recorded=self._recorded)
        self._live = LiveRun(self.transcript)
        self._live.on_stop(self._stop)
        self._live.on_pause(self._pause)
        GATE.open(self._live.comm.comm_id, self._clicked)
        if self._handle is None:
            self._handle = display(self._live, display_id=True)
        else:
            self._handle.update(self._live)

    def take(self, item: Event | Progress) -> None:
        """Apply one more event or delta; the display follows within `INTERVAL`, or at once before code runs."""
        self.transcript.apply(item)
        if isinstance(item, Event) and item.kind is Kind.CALL_STARTED:
            self._publish()
        elif self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(INTERVAL, self._publish)

    async def ask(self, pending: Pending) -> None:
        """Show a card, unless there is one from before; the answer comes by a click."""
        if pending.call in self._asked and self._board.shows(pending.call):
            self._board.renew(pending)
        else:
            self._asked.add(pending.call)
            self._publish()  # the question comes after what leads to it
            self._board.show(pending, self._decide, beside_transcript=True)

    def settle(self, call: str, decided: Decided) -> None:
        """Give the call's cards their final form."""
        self._board.settle(call, decided)

    def withdraw(self, call: str) -> None:
        """Take the buttons of the call's cards away: nobody has to answer any more."""
        self._board.withdraw(call)

    def end(self) -> None:
        """Leave the static transcript in place of the live one; cards nobody has answered stay alive."""
        self._publish()
        GATE.close(self._live.comm.comm_id)
        if self._handle is not None:
            self._handle.update(self.transcript.bundle(), raw=True, metadata=self.transcript.metadata())
        self._live.close()

    def _clicked(self, content: Mapping[str, Any]) -> None:
        act = self._pause if content.get("type") == "pause" else self._stop
        act(str(content.get("run", "")))

    def _publish(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        self._live.publish()
