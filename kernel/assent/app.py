"""The composition root: `Session`, the one façade that every entry point uses."""

import asyncio
import atexit
import contextlib
import functools
import logging
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from assent.catalog import Catalog
from assent.core import config as configs
from assent.core import people
from assent.core.agent import Agent
from assent.core.approval import Pending
from assent.core.commands import PAUSED, STOPPED, Command, Decide, PauseRun, RunCommand, StartRun, StopRun
from assent.core.config import Config
from assent.core.cut import unparted
from assent.core.errors import AssentError, ConfigError, NotFound, StoreError
from assent.core.events import ENDINGS, Event, Kind, Progress, current_user
from assent.core.ids import new_id, run_of
from assent.core.model import Model
from assent.core.taint import merged
from assent.history.recordings import Recordings
from assent.history.replay import Replayed
from assent.memory import table as memory_table
from assent.memory.memory import Memory
from assent.policy.explain import Explained
from assent.policy.facts import Call, facts
from assent.policy.overview import Row
from assent.risk import reserve
from assent.risk.reserve import Reservation
from assent.runs import branch, records
from assent.runs.answer import Proves, answer
from assent.runs.carried import Carried
from assent.runs.expiry import expired, is_over, refusal
from assent.runs.lasting import Lasting, from_event, revocation
from assent.runs.live import Live
from assent.runs.loop import drive
from assent.runs.marks import Marks
from assent.runs.remembering import caller
from assent.runs.result import Result, result_of
from assent.runs.standing import Standing, standing
from assent.runs.state import State, fold
from assent.runs.stopping import Stop
from assent.runs.trusted import Trusted
from assent.runs.waivers import Waivers
from assent.store import attached, database, table_calls
from assent.store.access import EVERYONE, Access
from assent.store.parcel import as_one_act, unchanged
from assent.store.sign import sign
from assent.store.window import Window
from assent.tools.by_hand import by_hand
from assent.tools.memory import memory_tools
from assent.tools.python import python_tool
from assent.tools.sql import frames_in, sql_tool
from assent.tools.tool import Tool
from assent.work import Work

_log = logging.getLogger(__name__)
WIND_UP = 1.0  # seconds that a shutdown waits for the runs it has interrupted
_OWN = "Settings and the session's rules are a person's to change"


class Session:
    """An open workspace with the tools and models of one process. Commands go in by `submit`, answers by `decide`.

    `workspace` is the `.assent` folder (None: found as `core.config.workspace_folder` says). `namespace` gives the
    variables that tools work on. `transform` turns a front end's syntax into Python before the python tool runs it.
    `access` is what of the workspace may be seen and whose events are written: the settings' tenant and the present
    user's if it is None; `store.access.EVERYONE` is the administrator's. `memory` is what it remembers.
    """

    def __init__(
        self,
        workspace: Path | str | None = None,
        namespace: Callable[[], MutableMapping[str, Any]] | MutableMapping[str, Any] | None = None,
        *,
        config: Config | None = None,
        models: Sequence[Model] = (),
        transform: Callable[[str], str] = lambda code: code,
        access: Access | None = None,
    ) -> None:
        self.folder = Path(workspace).absolute() if workspace else configs.workspace_folder()
        settings = config or configs.load(self.folder)
        variables = {} if namespace is None else namespace
        self.namespace: Callable[[], MutableMapping[str, Any]] = variables if callable(variables) else lambda: variables
        self._access = access
        asked = access or EVERYONE
        house = attached.attach(self.folder)
        self.journal = Window(house, asked, asked.tenant or settings.tenant, asked.user or current_user())
        self.memory = Memory(self.journal, caller)
        self._parser = functools.cache(database.memory)
        self._look(settings)
        built_in = (sql_tool(self.namespace), python_tool(self.namespace, transform), *memory_tools(self.memory))
        self._catalog = Catalog(self.journal, self.namespace, settings, built_in, models)
        self._work = Work(self.journal, self._catalog, self.namespace)
        self._closed = False
        _close_at_exit(self)

    # Commands

    async def submit(self, command: Command) -> AsyncGenerator[Event | Progress, None]:
        """Carry out a command and yield what happens, ending with the run's last event.

        Leaving the stream early, or cancelling the task that reads it, cancels the run. Errors that concern the
        command itself (no such agent, no model) are raised before the first item.
        """
        if isinstance(command, StopRun | PauseRun):
            act = self.pause if isinstance(command, PauseRun) else self.cancel
            await asyncio.to_thread(act, command.run, command.reason, command.seconds)
            return
        live = self._work.open(command)
        live.task = asyncio.ensure_future(_driven(live))
        try:
            while True:
                item = await live.items.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
                if isinstance(item, Event) and item.kind in ENDINGS:
                    return
        finally:
            live.cancel()
            try:
                await asyncio.wait([live.task])
            finally:
                self._work.leave(live)

    async def run(self, agent: str | Agent, prompt: str, **options: Any) -> Result:
        """Start a run, wait for its end, and give its result. `options` are the fields of `StartRun`."""
        return await self.drain(StartRun(prompt, agent, **options))

    async def drain(self, command: RunCommand) -> Result:
        """Carry out a command without looking at the stream, in the task that calls; cancelling it cancels the run."""
        live = self._work.open(command, watched=False)
        with live.within():
            try:
                await drive(live.run)
            finally:
                self._work.retire(live)
        return result_of(live.run.state, live.run.values)

    def decide(self, command: Decide) -> Event:
        """Record a person's answer; the run goes on if it waits in this process. The first answer wins.

        May be called from any thread, also while the event loop is blocked. `NotFound` if nothing waits under that id.
        """
        command = self._named(command)
        return as_one_act(functools.partial(self._decide, command))

    def check(self, command: Decide) -> None:
        """Refuse a decision that `decide` would refuse whatever the passphrase is; nothing is recorded."""
        command = self._named(command)
        self._answer(self.state(run_of(command.call)), command, lambda *_: True)

    def _named(self, command: Decide) -> Decide:
        if not run_of(command.call):
            raise NotFound(f"{command.call!r} is no call's id. %agent pending lists the calls that wait.")
        return replace(command, by=command.by or self.user)

    def _answer(self, state: State, command: Decide, proves: Proves = people.proves) -> list[Event]:
        rules, tools = self._work.terms(state, command.call) if command.verdict == "approve" else (facts({}, {}), {})
        call, edits = state.batch.get(command.call), command.arguments is not None
        checks = rules.checks.get(call.tool, ()) if call and edits else ()
        used = reserve.used(self.journal, checks, call.tool, state.scope) if call else {}
        return answer(state, command, rules, tools, proves, self._work.session, used)

    def _decide(self, command: Decide) -> Event:
        events = self.events(run_of(command.call))
        state = fold(events)
        alone = unchanged(state.run, events[-1].seq)
        call = state.batch.get(command.call)
        if call is not None and is_over(call):
            self.journal.append([expired(state, call)], alone).result()
            raise ConfigError(refusal(state, call))
        said = self._answer(state, command)
        self.journal.append(said, alone).result()
        self._work.live.grants.hear(said)
        return said[0]

    def revoke(self, grant: str) -> Lasting:
        """End what was allowed for a run or a session, by the id of the call that gave it; from the next call on.

        Also for runs at work, in whichever kernel. `NotFound` where nothing of that id holds.
        """
        [live] = self.journal.select("SELECT count(*) FROM grants WHERE id = ? AND status = 'holds'", [grant])
        given = [event for event in self.journal.events(kind=Kind.GRANT_GIVEN) if event.body["id"] == grant]
        if not given or not live[0]:
            raise NotFound(f"Nothing is allowed under {grant!r}. %agent grants lists what is.")
        ended = from_event(given[-1])
        event = revocation(ended, self.user)
        self.journal.append([event]).result()
        self._work.live.grants.hear([event])
        return ended

    # Limits, for an engineer's own code outside a run

    def check_and_reserve(
        self, tool: str, arguments: Mapping[str, Any], facts: Mapping[str, Any] = MappingProxyType({})
    ) -> Reservation:
        """Hold what your own code is about to do to the risk checks of `tool`, and reserve what it takes, as one act.

        The checks are those of the tool of that name and those of the policy; the name may be of no tool. `facts` is
        what they need besides. `GateError` says which limit is in the way. Afterwards `commit` or `rollback`: what is
        neither, after a crash, stays counted. From any thread.
        """
        return reserve.check_and_reserve(self.journal, tool, self._catalog.checks(tool), arguments, facts)

    def commit(self, reservation: Reservation | str) -> None:
        """It was done: what was reserved counts for good. An id, from the view `risk`, will do."""
        reserve.commit(self.journal, reservation)

    def rollback(self, reservation: Reservation | str) -> None:
        """It was not done, for certain: what was reserved counts no more."""
        reserve.rollback(self.journal, reservation)

    # What there is

    @property
    def user(self) -> str:
        """Who answers and stops here: the session's user where one was named for it, else the person of the moment."""
        return self._access.user if self._access and self._access.user else current_user()

    def state(self, run: str) -> State:
        """Where a run stands, from the journal. `run` may be any unambiguous beginning of its id."""
        return records.state(self.journal, self.find(run))

    def events(self, run: str) -> list[Event]:
        """What happened in a run, oldest first; a fork begins with what it shares with the run that it came from."""
        return branch.events(self.journal, self.find(run))

    def find(self, run: str) -> str:
        """The full id of a run from its beginning."""
        return records.find(self.journal, run)

    def stop(self, run: str) -> None:
        """Cancel a run that is at work in this process, at once; without effect on any other. From any thread."""
        if self.live(run):
            self._work.live.stop(run, Stop("cancel", STOPPED, self.user))

    def unattended(self, run: str) -> None:
        """Nobody answers where this is called: a run at work in this process is suspended where it waits for a person.

        From any thread; `ResumeRun` goes on with it.
        """
        if self.live(run):
            self._work.live.unattended(run)

    def cancel(self, run: str, reason: str = STOPPED, seconds: float | None = 0) -> str:
        """Cancel a run and those that it has started, in whichever kernel; its status afterwards. From any thread.

        `seconds` is how long what is under way may take, None as long as it does. A run that is at work here, or that
        takes its time, is still "running" when this returns; its stream tells of its end.
        """
        return self._work.end(self.find(run), Stop("cancel", reason, self.user, seconds))

    def pause(self, run: str, reason: str = PAUSED, seconds: float | None = None) -> str:
        """Pause a run and those that it has started, until somebody resumes it; as `cancel` otherwise."""
        return self._work.end(self.find(run), Stop("pause", reason, self.user, seconds))

    def pending(self, run: str | None = None) -> list[Pending]:
        """The calls, of one run or of all, that wait for a person, oldest first; a cancelled run waits for nothing."""
        return records.waiting(self.journal, run)

    def live(self, run: str) -> bool:
        """Whether a run is at work in this process."""
        return self._work.is_here(run)

    def result(self, run: str) -> Result:
        """How a run stands by the journal; with its value, while this session has it or the type of the answer."""
        state = self.state(run)
        return result_of(state, self._work.values(state))

    async def replay(self, run: str) -> Replayed:
        """A run once more by today's code and rules, with recorded answers and results: nothing is asked or run."""
        return await self._work.replay(self.find(run))

    @property
    def recordings(self) -> Recordings:
        """The files that runs are recorded into and answered from, as the settings `record` and `replay` say."""
        return self._work.recordings

    def bound(self, name: str, run: str) -> None:
        """Tell that a variable has the answer of a run; it is local only where the run carries what is."""
        self._work.bound(name, run)

    def cell(self, body: Mapping[str, Any]) -> None:
        """Tell that a cell has run, by the body of CELL_RAN: what it made of something local only is, too."""
        self._work.cell(body)

    @property
    def marks(self) -> Marks:
        """Which variables are for models on this machine only; marking them and ending that."""
        return self._work.marks

    def local_only(self, names: Sequence[str]) -> list[str]:
        """Those of the variables that are for models on this machine only, by a mark or by the policy."""
        return self._work.marks.local(names, self._catalog.policies.layers())

    def unparted(self) -> contextlib.AbstractContextManager[None]:
        """Within this, what is told of variables is cut through nothing that is to be masked."""
        return unparted(self._work.whole())

    @property
    def trusted(self) -> Trusted:
        """Which sources the session's person trusts; trusting one for a while, and revoking that."""
        return self._catalog.trusted

    @property
    def carried(self) -> Carried:
        """What the variables of this kernel and files carry of untrusted sources."""
        return self._work.carried

    def budgets(self, agent: str) -> list[Standing]:
        """How the budgets stand that this session's runs of an agent are under."""
        return standing(self.journal, self._catalog.policies.layers().of("budget"), self.journal.scope(agent=agent))

    @property
    def waivers(self) -> Waivers:
        """Who has loosened which rule or budget, why and until when; giving a waiver and ending it."""
        return self._catalog.waivers

    def sql(self, query: str, *, frames: bool = True) -> Any:
        """A DataFrame from one reading statement over the workspace's views and, if `frames`, the namespace's tables.

        A DataFrame that is called like a view stands before it. `memory_search('…', k := 20)` is a table of what memory
        finds.
        """
        tables = frames_in(self.namespace()) if frames else {}
        if memory_table.NAME in query.casefold():
            query = self._recalled(query, tables)
        return self.journal.frame(query, tables)

    def _recalled(self, query: str, tables: dict[str, Any]) -> str:
        """The statement with a table in the place of each `memory_search(…)`; the tables are added to the others."""

        def found(arguments: table_calls.Arguments) -> str:
            words, options = memory_table.wanted(arguments)
            hits = self.memory.search(words, **options)
            self._work.carried.shown(merged(*[hit.taint for hit in hits]))
            name = f"{memory_table.NAME}_{new_id()}"
            tables[name] = memory_table.table(hits)
            return name

        with self._parser().cursor() as cursor:
            return table_calls.replaced(cursor, query, memory_table.NAME, found)

    # Agents, tools, models

    @property
    def config(self) -> Config:
        """The settings that hold; they may be replaced while the session is open."""
        return self._catalog.config

    @config.setter
    def config(self, config: Config) -> None:
        if config != self._catalog.config:
            by_hand(_OWN)
        self._catalog.config = config
        self._look(config)

    def policy(self, values: Mapping[str, Any] | None = None) -> list[Row]:
        """What holds: the built-in layer, the organisation's file, the workspace's, the session's, one row a rule.

        `values`, in the shape of a policy file (`{"rule": [{"tool": "pay", "mode": "ask"}]}`), are the session's own
        layer from now on, in place of what it was; {} takes it away. It can only tighten.
        """
        if values is not None:
            by_hand(_OWN)
            self._catalog.tighten(values, more=False)
        return self._catalog.holds()

    def tighten(self, values: Mapping[str, Any]) -> list[Row]:
        """Add `values`, in the shape of a policy file, to what is the session's own layer; what holds then.

        Nothing that is said twice loosens: of several the strictest counts. It ends with the session, or by `policy`.
        """
        by_hand(_OWN)
        self._catalog.tighten(values, more=True)
        return self._catalog.holds()

    def explain(self, tool: str, arguments: Mapping[str, Any], *, agent: str = "", user: str = "") -> Explained:
        """How a call would be decided in a run of an agent (None named: the settings') and a user, and why."""
        named = self._catalog.agent(agent or self.config.agent)
        return self._catalog.explain(named, Call(tool, arguments), user or self.journal.user)

    def define(self, agent: Agent) -> None:
        """Keep an agent under its name, in the workspace, for this session and later ones."""
        self._catalog.define(agent)

    def agents(self) -> dict[str, Agent]:
        """Every agent that can be named."""
        return self._catalog.agents()

    def agent(self, name: str) -> Agent:
        """The agent of that name."""
        return self._catalog.agent(name)

    def add_tool(self, tool: Tool[Any, Any]) -> None:
        """Make a tool available to agents by its name."""
        self._catalog.add_tool(tool)

    def tools(self) -> dict[str, Tool[Any, Any]]:
        """Every tool by name: built in, added, or defined in the namespace with `@tool`."""
        return self._catalog.tools()

    def tools_of(self, agent: Agent) -> dict[str, Tool[Any, Any]]:
        """The agent's tools by name; `NotFound` names the ones that are not here."""
        return self._catalog.tools_of(agent)

    def model(self, name: str = "") -> Model:
        """The model of that name, or the default one; `NoModel` says what to do when there is none."""
        return self._catalog.model(name)

    async def aclose(self) -> None:
        """Close the models' connections, then everything else. `async with Session(…)` does it by itself."""
        await self._catalog.aclose()
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def wind_up(self) -> None:
        """Before the process ends, from a thread without runs: those that its first interrupt hit may go on later."""
        if self._closed:
            return
        until = time.monotonic() + WIND_UP
        while self._work.goes_on() and time.monotonic() < until:
            time.sleep(0.02)  # their ends are on their way to the disk
        records.suspend_interrupted(self.journal, 2 * WIND_UP)

    def _look(self, config: Config) -> None:
        """Show what the settings say, unless it was said once for all."""
        if self._access is None:
            self.journal.tenant = config.tenant
            self.journal.access = EVERYONE if config.admin else Access(config.tenant, self.journal.user)

    def close(self) -> None:
        """Write what is queued and let go of the workspace; runs at work are cut off and can be resumed later."""
        if self._closed:
            return
        self._closed = True
        self._work.stop()
        with contextlib.suppress(StoreError):  # they end with the session also where nothing can be written any more
            self.journal.post(
                [
                    revocation(item, "", "the session has ended")
                    for item in self._work.live.grants.of_session(self._work.session)
                ]
            )
        self._sign()
        self.memory.close()
        attached.detach(self.journal.house)

    def _sign(self) -> None:
        """Sign the journal's head, if the settings say so; what hinders that is said, and hinders nothing else."""
        if not self.config.sign:
            return
        try:
            sign(self.journal.house.select, self.journal.append, self.journal.scope())
        except AssentError as error:
            _log.warning("The journal was not signed: %s", error)


async def _driven(live: Live) -> None:
    try:
        await drive(live.run)
    except BaseException as error:  # whatever it is, the reader of the stream must hear of it
        live.items.put(error)


def _close_at_exit(session: Session) -> None:
    """DuckDB wants its connections closed before the interpreter ends."""
    reference = weakref.ref(session)

    def close() -> None:
        if (open_session := reference()) is not None:
            open_session.close()

    atexit.register(close)
