"""The notebook's desk: the open session, the settings, and how a run is started, shown and gone on with here."""

import asyncio
import contextlib
import contextvars
import functools
import getpass
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assent.core import config as configs
from assent.core.approval import Pending
from assent.core.commands import Decide, ForkRun, ResumeRun, RunCommand, StartRun
from assent.core.config import Config
from assent.core.errors import AssentError, ConfigError, StoreError
from assent.core.run_mode import tightest
from assent.jupyter import frontend, stdin
from assent.jupyter.cells import Cells
from assent.jupyter.notebook_id import identify
from assent_magics.board import Board
from assent_magics.console import ConsoleView
from assent_magics.panel import PanelView
from assent_magics.settings import Assent
from assent_magics.show import Show, View, decided_of
from assent_magics.static import StaticView
from assent_magics.unfinished import greeting

if TYPE_CHECKING:
    from assent.app import Session
    from assent.runs.result import Result


@dataclass(slots=True)
class Place:
    """Where what follows a click is shown: in the cell that the context names, and in the run's panel if it has one."""

    context: contextvars.Context
    into: str = ""
    panel: PanelView | None = None
    notebook: str | None = None


class Desk:
    """Holds the session of one IPython shell. The session is opened by the first command that needs it."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.settings = Assent(parent=shell)
        self.folder = configs.workspace_folder()
        self.since = time.time()
        self.greeted = False
        self._session: Session | None = None
        self._commanded = False
        self.board = Board()
        self.cells = Cells(shell)
        self._notebook: tuple[str, str] | None = None  # the path for which an id was sought, and the id
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
            frontend.at_shutdown(self._session.wind_up)
            self.cells.attach(self._session)
        self._session.config = self.config
        if self._commanded and not self.greeted:
            self.greeted = True
            self._greet(self._session)
        return self._session

    @contextlib.contextmanager
    def commanded(self) -> Iterator[None]:
        """While a command is at work: the first one that opens the workspace says what was left in it."""
        self._commanded = True
        try:
            yield
        finally:
            self._commanded = False

    def _greet(self, session: "Session") -> None:
        if frontend.way_to_ask() != "none" and (words := greeting(session)):
            print(words)

    @property
    def notebook(self) -> str | None:
        """The id of the notebook that is running, known to the journal from now on; None where nobody names it."""
        path = frontend.provenance().notebook
        if path is None:
            return None
        if self._notebook is None or self._notebook[0] != path:
            self._notebook = (path, identify(self.session.journal, path))
        return self._notebook[1]

    @property
    def opened(self) -> bool:
        return self._session is not None

    def close(self) -> None:
        """Let go of the workspace; what is at work is cut off."""
        self.board.close()
        for task in self._tasks:
            task.cancel()
        self.cells.detach()
        if self._session is not None:
            self._session.close()
            self._session = None

    # Running

    def command(self, prompt: str, agent: str = "", **options: Any) -> StartRun:
        """The command for a prompt, with the settings and the front end's facts filled in."""
        config = self.config
        place = frontend.provenance()
        mode = options.get("mode", config.mode)
        if tightest(mode, config.mode) != mode:
            raise ConfigError(
                f"The mode here is {config.mode}, by the settings, and a run can only tighten it: leave --mode out."
            )
        tools = options.pop("tools", None)
        named: Any = agent or config.agent
        if tools is not None:
            named = replace(self.session.agent(named), tools=tools)
        asking = self._asking(options)
        return StartRun(
            prompt=prompt, agent=named, notebook=place.notebook, cell=place.cell, **asking,
            output_type=options.pop("as_type", None), images=options.pop("image", ()), **options,
        )  # fmt: skip

    def resuming(self, run: str, **options: Any) -> ResumeRun:
        """The command that goes on with a run."""
        asking = self._asking(options)
        return ResumeRun(self.session.find(run), **asking, **options)

    def forking(self, run: str, **options: Any) -> ForkRun:
        """The command that goes on another way from a step of a run."""
        place = frontend.provenance()
        asking = self._asking(options)
        return ForkRun(run, notebook=place.notebook, cell=place.cell, **asking, **options)

    def _asking(self, options: dict[str, Any]) -> dict[str, Any]:
        config = self.config
        on_ask = options.pop("on_ask", "") or config.on_ask
        if not on_ask:
            on_ask = "suspend" if frontend.way_to_ask() == "none" else "wait"
        return {"wait": options.pop("wait", config.wait), "on_ask": on_ask}

    async def follow(self, command: RunCommand, into: str = "") -> "Result":
        """Carry out a command, showing the run as it goes; bind its result to `into`. Cancelling cancels the run."""
        return await self._follow(command, Place(contextvars.copy_context(), into))

    async def _follow(self, command: RunCommand, place: Place) -> "Result":
        result = await self._shown(command, place)
        while result.status == "suspended" and not result.pending and not self._is_left(result.run):
            # The last answer came while the suspension was being written.
            result = await self._shown(ResumeRun(result.run, command.wait, command.on_ask), place)
        if place.into and result.status == "finished":
            there = place.into in self.namespace
            self.namespace[place.into] = result.outcome
            self.cells.answered(place.into, result.run, there=there)
            self.session.bound(place.into, result.run)
        return result

    def _is_left(self, run: str) -> bool:
        """Whether a suspended run that waits for nobody is not to go on by itself."""
        return self.session.live(run) or self.session.state(run).over

    async def _shown(self, command: RunCommand, place: Place) -> "Result":
        show: Show | None = None
        run = ""
        place.notebook = self.notebook
        try:
            async with aclosing(self.session.submit(command)) as stream:
                async for item in stream:
                    if show is None:
                        run = item.run or ""
                        show = Show(self._view(command, place), self.session, run, asks=command.on_ask != "deny")
                        show.begin(item)
                    show.take(item)
        finally:
            if show is not None:
                show.end()
                self._tidy(run)
        return self.session.result(run)

    def decide(self, command: Decide, place: Place | None = None) -> None:
        """Take a person's answer, on any thread. A suspended run that waits for nothing more goes on in `place`."""
        session = self.session
        event = session.decide(command)
        run, call = event.run or "", event.call or ""
        waiting = {item.call: item for item in session.pending(run)}
        if call in waiting:
            heard = ", ".join(waiting[call].approved_by)
            self.board.ask_anew(waiting[call], f"Approved by {heard}; somebody else must approve too.")
        else:
            self.board.settle(call, decided_of(event))
        if place is None or waiting or session.live(run) or session.state(run).status not in ("suspended", "paused"):
            return
        _kernel_loop().call_soon_threadsafe(self._go_on, run, place, context=place.context.copy())

    def cards(self, pending: list[Pending]) -> None:
        """Show what waits for a person once more, alive."""
        places: dict[str, Place] = {}
        for item in pending:
            place = places.setdefault(item.run, Place(contextvars.copy_context()))
            self.board.show(item, functools.partial(self.decide, place=place))

    def cancel(self, run: str, seconds: float | None = 0) -> str:
        """Cancel a run, at work or suspended; its status afterwards."""
        status = self.session.cancel(run, seconds=seconds)
        self._tidy(run)
        return status

    def stop(self, run: str) -> None:
        """What a click on Stop does, on any thread: at once to the run, then to those that it has started elsewhere."""
        self.session.stop(run)
        with contextlib.suppress(AssentError):  # there are none
            self.session.cancel(run)

    def pause(self, run: str) -> None:
        """What a click on Pause does, on any thread."""
        with contextlib.suppress(AssentError):  # it has ended meanwhile, as its panel shows
            self.session.pause(run)

    def _tidy(self, run: str) -> None:
        with contextlib.suppress(StoreError):  # the workspace may be what failed
            self.board.keep(run, {item.call for item in self.session.pending(run)})

    def _go_on(self, run: str, place: Place) -> None:
        task = asyncio.ensure_future(self._resume_quietly(run, place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _resume_quietly(self, run: str, place: Place) -> None:
        status = self.session.state(run).status
        if status == "paused":  # by somebody who did not want it to go on with the first answer
            print(f"The run {run} is paused: %agent resume {run} goes on with it.")
        if status != "suspended" or self.session.live(run):
            return
        try:
            await self._follow(ResumeRun(run, wait=self.config.wait, on_ask="wait"), place)
        except AssentError as error:
            print(f"The run {run} could not go on: {error}")

    def _view(self, command: RunCommand, place: Place) -> View:
        way = frontend.way_to_ask()
        recorded = bool(self.config.record or self.config.replay or (isinstance(command, StartRun) and command.replay))
        if way == "widget":
            return self._panel(place, recorded)
        if way == "none":
            return StaticView(place.notebook, recorded=recorded)
        prompt = _prompt(way) if command.on_ask == "wait" else None
        session = self.session
        return ConsoleView(prompt, session.decide, session.stop, session.unattended, _prompt(way, secret=True))

    def _panel(self, place: Place, recorded: bool) -> PanelView:
        if place.panel is None:
            decide = functools.partial(self.decide, place=place)
            place.panel = PanelView(self.board, decide, self.stop, self.pause, place.notebook, recorded=recorded)
        else:
            place.panel.open()
        return place.panel


def _prompt(way: str, *, secret: bool = False) -> Callable[[str], Awaitable[str]]:
    kernel = frontend.kernel()

    async def prompt(text: str) -> str:
        if way == "stdin":
            return await stdin.ask(kernel, text, secret=secret)
        if secret:
            return getpass.getpass(text)
        return input(text)  # noqa: ASYNC250  # on a terminal nothing else is going on

    return prompt


def _kernel_loop() -> asyncio.AbstractEventLoop:
    kernel = frontend.kernel()
    loop: asyncio.AbstractEventLoop = kernel.io_loop.asyncio_loop if kernel else asyncio.get_event_loop()
    return loop
