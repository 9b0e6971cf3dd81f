"""The runs at work in this process: each hears, on its own loop, what the journal has committed of it."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assent.core.events import CONTROL, Event, Kind, Progress
from assent.runs.lasting import Register
from assent.runs.mailbox import Mailbox
from assent.runs.run import Run
from assent.runs.stopping import Stop, requested
from assent.store.attached import one_for
from assent.store.journal import Journal
from assent.store.window import Window
from assent.tools.guard import break_in

PATIENCE = 0.25  # seconds the event loop has to cancel a run before the code that holds it up is broken into


@dataclass(slots=True)
class Live:
    """A run at work: its loop, its task, and what the reader of its stream has yet to take.

    `heard` is the number of the last event that it has taken in, by its fold or from the journal.
    """

    run: Run
    loop: asyncio.AbstractEventLoop
    items: Mailbox[Event | Progress | BaseException] = field(default_factory=Mailbox)
    task: asyncio.Task[None] | None = None
    held: list[tuple[Event, Progress]] = field(default_factory=list)
    heard: int = 0
    watched: bool = True  # whether somebody reads the stream
    cancels: int = 0
    callers: tuple[str, ...] = ()  # the runs whose calls started it
    cutting: threading.Timer | None = None  # when what is under way has had its time

    def __post_init__(self) -> None:
        if self.watched:
            self.run.emit = self.say

    def cancel(self) -> None:
        if self.task is not None:
            self.cancels += 1
            self.task.cancel()

    @contextlib.contextmanager
    def within(self) -> Iterator[None]:
        """Work in the task that calls: `cancel` ends the run and not the task, its own cancellation ends both."""
        self.task = task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        try:
            yield
        finally:
            self.task = None
            for _ in range(self.cancels):
                task.uncancel()
        if task.cancelling() > before:
            raise asyncio.CancelledError

    def let_go(self) -> None:
        """Open the circles that it is part of, which would wait for the garbage collector with the conversation."""
        self.task, self.run.emit = None, _nobody
        if self.cutting is not None:
            self.cutting.cancel()

    def say(self, progress: Progress) -> None:
        """Take a delta. It stays behind what was recorded before it and is still on its way to the disk."""
        if self._has_heard(self.run.last):
            self.items.put(progress)
        else:
            self.held.append((self.run.last, progress))

    def hear(self, event: Event) -> None:
        """Take a committed event: the reader sees it, what a person says also reaches the loop that waits for it."""
        if event.seq <= self.heard:
            return
        if self.watched:
            self.items.put(event)
        self.heard = event.seq
        while self.held and self._has_heard(self.held[0][0]):
            self.items.put(self.held.pop(0)[1])
        if event.kind in CONTROL:
            self.run.answers.put(event)

    def _has_heard(self, event: Event) -> bool:
        return 0 < event.seq <= self.heard  # the writer numbers events as it commits them


def _nobody(progress: Progress) -> None:
    """Nobody listens."""


_lock = threading.Lock()


def _cut_later(live: Live, stop: Stop) -> None:
    """Begin nothing more, and let what is under way end within the time that it has; the latest wish holds."""
    live.run.stopping = stop
    if live.cutting is not None:
        live.cutting.cancel()
    if stop.seconds == 0:
        _cut(live, stop)
    elif stop.seconds is not None:
        live.cutting = threading.Timer(stop.seconds, _cut, [live, stop])
        live.cutting.daemon = True
        live.cutting.start()


def _cut(live: Live, stop: Stop | None) -> None:
    """Cancel a run from another thread, and break into its code if that keeps the loop from hearing of it."""
    if live.loop.is_closed():
        return
    live.run.stopping = stop or live.run.stopping  # at once: code that is broken into ends before the loop hears of it
    heard = threading.Event()

    def cancel() -> None:
        heard.set()
        live.cancel()

    def insist() -> None:
        # Again and again: a signal that comes just before a system call does not end it.
        while not heard.wait(PATIENCE) and live.task is not None and not live.loop.is_closed():
            break_in(live.run.state.run)

    live.loop.call_soon_threadsafe(cancel)
    if threading.current_thread() is threading.main_thread():
        return  # nothing holds up the thread that says this
    threading.Thread(target=insist, name="assent-stop", daemon=True).start()


class LiveRuns(dict[str, Live]):
    """By run id; `grants` is what they may do without asking.

    `publish` is a listener of the journal; the other methods may be called from any thread.
    """

    def __init__(self) -> None:
        self.grants = Register()

    def publish(self, events: Sequence[Event]) -> None:
        """On the writer's thread: pass a group of events on, with one wake-up for each loop."""
        self.grants.hear(events)
        groups: dict[asyncio.AbstractEventLoop, list[tuple[Live, Event]]] = {}
        for event in events:
            live = self.get(event.run) if event.run else None
            if live and (live.watched or event.kind in CONTROL) and live.run.state.scope.owns(event):
                groups.setdefault(live.loop, []).append((live, event))
                if event.kind is Kind.STOP_REQUESTED and event.seq > live.heard:
                    _cut_later(live, requested(event))
        for loop, group in groups.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, group)

    def at_work(self, run: str) -> bool:
        """Whether a run is at work; one whose loop was closed under it is not."""
        live = self.get(run)
        return live is not None and not live.loop.is_closed()

    def claim(self, live: Live) -> bool:
        """Enter a run, unless it is at work already."""
        with _lock:
            if self.at_work(live.run.state.run):
                return False
            self[live.run.state.run] = live
            return True

    def abandoned(self, run: str) -> bool:
        """Whether a run was at work on a loop that was closed under it."""
        live = self.get(run)
        return live is not None and live.loop.is_closed()

    def stop(self, run: str, stop: Stop | None = None) -> None:
        """Cut a run off at once, and those here that it has started; without effect on one that is not here.

        None of `stop` means an interrupt of the process rather than of the run.
        """
        live = self.get(run)
        if live is not None:  # before its children end, or it would go on with what they leave it
            live.run.stopping = stop or live.run.stopping
        self.stop_children(run, stop)  # first, or they would take it for an interrupt: a tool may be what runs them
        if live is not None:
            _cut(live, stop)

    def unattended(self, run: str) -> None:
        """Let a run wait for no person any more, if it would; without effect on one that is not here."""
        live = self.get(run)
        if live is not None and live.run.on_ask == "wait" and not live.loop.is_closed():
            live.run.on_ask = "suspend"
            live.loop.call_soon_threadsafe(live.run.answers.put, None)

    def stop_children(self, run: str, stop: Stop | None) -> None:
        """Cut off the runs here that a run has started."""
        for name, live in list(self.items()):
            if live.run.state.scope.parent == run and name != run:
                self.stop(name, stop)


def _deliver(group: list[tuple[Live, Event]]) -> None:
    for live, event in group:
        live.hear(event)


def live_runs(journal: Window) -> LiveRuns:
    """The runs at work on a journal, whichever session of this process began them: no two may have the same one."""
    return one_for(journal.house, _listening)


def _listening(house: Journal) -> LiveRuns:
    runs = LiveRuns()
    house.subscribe(runs.publish)
    return runs
