"""The notebook's desk: the open session, the settings, and how a run is started, shown and gone on with here."""

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from assent.core import config as configs
from assent.core.approval import Decided, Pending
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.errors import AssentError, ConfigError
from assent.core.events import Event, Kind, Progress
from assent.jupyter import frontend, stdin
from assent_magics.console import ConsoleView
from assent_magics.settings import Assent
from assent_magics.static import StaticView

if TYPE_CHECKING:
    from assent.app import Result, Session


class View(Protocol):
    """Where a run is shown."""

    def take(self, item: Event | Progress) -> None: ...
    async def ask(self, pending: Pending) -> None: ...
    def settle(self, call: str, decided: Decided) -> None: ...
    def end(self) -> None: ...


class Show:
    """One run on one view: its events go in, its questions are asked once each, its answers settle them."""

    def __init__(self, view: View, session: "Session") -> None:
        self._view = view
        self._session = session
        self._asked: dict[str, asyncio.Task[None]] = {}

    def begin(self, run: str, first: Event | Progress) -> None:
        """A run that goes on is shown from its beginning, with the questions that are still open."""
        if isinstance(first, Event) and first.kind is Kind.RUN_RESUMED:
            for event in self._session.journal.events(run):
                if event.seq < first.seq:
                    self._view.take(event)
            self._ask(run)

    def take(self, item: Event | Progress) -> None:
        """Show one more item of the stream."""
        self._view.take(item)
        if not isinstance(item, Event):
            return
        if item.kind is Kind.CALL_DECIDED and item.decision == "ask":
            self._ask(item.run or "")
        elif item.kind is Kind.APPROVAL_DECIDED:
            self._view.settle(item.call or "", decided_of(item))

    def end(self) -> None:
        """The stream has ended: stop asking, leave the final form."""
        for task in self._asked.values():
            task.cancel()
        self._view.end()

    def _ask(self, run: str) -> None:
        for pending in self._session.pending(run):
            if pending.call not in self._asked:
                self._asked[pending.call] = asyncio.ensure_future(self._view.ask(pending))


class Desk:
    """Holds the session of one IPython shell. The session is opened by the first command that needs it."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.settings = Assent(parent=shell)
        self.folder = configs.workspace_folder()
        self._session: Session | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def namespace(self) -> MutableMapping[str, Any]:
        names: MutableMapping[str, Any] = self.shell.user_ns
        return names

    @property
    def config(self) -> Config:
        return self.settings.effective(self.folder)

    @property
    def session(self) -> "Session":
        """The open session, with the settings that hold now."""
        if self._session is None:
            from assent.app import Session  # duckdb and pydantic take 0.2 s to import: not before they are needed

            self._session = Session(
                self.folder, lambda: self.namespace, config=self.config, transform=self.shell.transform_cell
            )
        self._session.config = self.config
        return self._session

    @property
    def opened(self) -> bool:
        return self._session is not None

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    # Running

    def command(self, prompt: str, agent: str = "", **options: Any) -> StartRun:
        """The command for a prompt, with the settings and the front end's facts filled in."""
        config = self.config
        place = frontend.provenance()
        tools = options.pop("tools", None)
        named: Any = agent or config.agent
        if tools is not None:
            agents = self.session.agents()
            if named not in agents:
                raise ConfigError(f"There is no agent {named!r}; there are {', '.join(agents)}.")
            named = replace(agents[named], tools=tools)
        return StartRun(
            prompt=prompt, agent=named, model=options.pop("model", ""), max_steps=options.pop("max_steps", None),
            notebook=place.notebook, cell=place.cell, **self._asking(options),
        )  # fmt: skip

    def resuming(self, run: str, **options: Any) -> ResumeRun:
        """The command that goes on with a run."""
        return ResumeRun(self.session.find(run), **self._asking(options))

    def _asking(self, options: dict[str, Any]) -> dict[str, Any]:
        config = self.config
        on_ask = options.pop("on_ask", "") or config.on_ask
        if not on_ask:
            on_ask = "suspend" if frontend.way_to_ask() == "none" else "wait"
        return {"wait": options.pop("wait", config.wait), "on_ask": on_ask}

    async def follow(self, command: StartRun | ResumeRun, into: str = "") -> "Result":
        """Carry out a command, showing the run as it goes; bind its result to `into`. Cancelling cancels the run."""
        show: Show | None = None
        run = ""
        try:
            async with aclosing(self.session.submit(command)) as stream:
                async for item in stream:
                    if show is None:
                        run = item.run or ""
                        show = Show(self._view(command, into), self.session)
                        show.begin(run, item)
                    show.take(item)
        finally:
            if show is not None:
                show.end()
        result = self.session.result(run)
        if into and result.status == "finished":
            self.namespace[into] = result.text if result.value is None else result.value
        return result

    def decide(self, command: Decide, *, into: str = "", context: contextvars.Context | None = None) -> None:
        """Take a person's answer. With a `context`, a suspended run that waits for nothing more goes on in it."""
        session = self.session
        event = session.decide(command)
        run = event.run or ""
        if context is None or session.live(run) or session.pending(run):
            return
        if session.state(run).status == "suspended":
            _kernel_loop().call_soon_threadsafe(functools.partial(self._go_on, run, into), context=context)

    def cards(self, pending: list[Pending]) -> None:
        """Show what waits for a person once more, alive."""
        from assent_magics.panel import Card  # widgets take 0.2 s to import

        for item in pending:
            Card(item, self._decider(""))

    def _go_on(self, run: str, into: str) -> None:
        task = asyncio.ensure_future(self._resume_quietly(run, into))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _resume_quietly(self, run: str, into: str) -> None:
        config = self.config
        try:
            await self.follow(ResumeRun(run, wait=config.wait, on_ask="wait"), into)
        except AssentError as error:
            print(f"The run {run} could not go on: {error}")

    def _view(self, command: StartRun | ResumeRun, into: str) -> View:
        way = frontend.way_to_ask()
        if way == "widget":
            from assent_magics.panel import PanelView  # widgets take 0.2 s to import

            return PanelView(self._decider(into), self.session.stop)
        if way == "none":
            return StaticView()
        prompt = _prompt(way) if command.on_ask == "wait" else None
        return ConsoleView(prompt, self.session.decide, self.session.stop)

    def _decider(self, into: str) -> Callable[[Decide], None]:
        # The context carries the cell that what follows a click is shown in.
        return functools.partial(self.decide, into=into, context=contextvars.copy_context())


def decided_of(event: Event) -> Decided:
    """What a person said, from its event."""
    body = event.body
    return Decided(
        verdict="approve" if event.decision in ("approve", "happened") else "reject", by=body.get("by", ""),
        reason=body.get("outcome") or body.get("reason", ""), edited=body.get("arguments") is not None,
        scope=body.get("scope", "once"), at=event.at,
    )  # fmt: skip


def _prompt(way: str) -> Callable[[str], Awaitable[str]]:
    kernel = frontend.kernel()

    async def prompt(text: str) -> str:
        if way == "stdin":
            return await stdin.ask(kernel, text)
        return input(text)  # noqa: ASYNC250  # on a terminal nothing else is going on

    return prompt


def _kernel_loop() -> asyncio.AbstractEventLoop:
    kernel = frontend.kernel()
    loop: asyncio.AbstractEventLoop = kernel.io_loop.asyncio_loop if kernel else asyncio.get_event_loop()
    return loop
