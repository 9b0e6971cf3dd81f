"""The magics themselves: `%agent`, `%%agent`, and the form of them that the transformer awaits."""

import asyncio
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from assent.core.commands import ResumeRun, RunCommand, StartRun
from assent.core.errors import AssentError, ConfigError
from assent.jupyter.interrupt import cancelled_by_sigint
from assent_magics import manage, options, travel
from assent_magics.commands import COMMANDS
from assent_magics.desk import Desk
from assent_magics.interpolate import fill, interpolated
from assent_magics.transform import runs_agent

_NOT_HERE = (
    "An agent cannot run inside %%time, %%capture, a plain function or with %autoawait off. "
    "Put %%agent on the first line of a cell of its own; in an async function, `await session.run(…)`."
)


class _Stopped(KeyboardInterrupt):
    """A KeyboardInterrupt whose traceback, which says nothing to a reader, is one line."""

    def _render_traceback_(self) -> list[str]:
        return [f"KeyboardInterrupt: {self}"]


# Front ends show the class's name.
Stopped = type("KeyboardInterrupt", (_Stopped,), {})


class _Failed(UsageError):
    """A UsageError that is an output of the cell: IPython only prints its own, and nbval takes such a cell for good."""

    def _render_traceback_(self) -> list[str]:
        return [f"UsageError: {self}"]


Failed = type("UsageError", (_Failed,), {})


@magics_class
class AgentMagics(Magics):
    """Turns lines and cells into commands for the desk; an `AssentError` becomes one line, without a traceback."""

    def __init__(self, shell: Any, desk: Desk) -> None:
        super().__init__(shell)
        self.desk = desk

    @no_var_expand
    @line_cell_magic
    def agent(self, line: str, cell: str | None = None) -> Any:
        """Run and manage agents: `%agent help`."""
        try:
            with self.desk.commanded():
                return self._manage(line, cell)
        except AssentError as error:
            raise UsageError(str(error)) from None

    @no_var_expand
    @line_cell_magic
    async def _agent_awaited(self, line: str, cell: str | None = None) -> Any:
        """What `%%agent` and the lines that run an agent are turned into; not for typing."""
        try:
            with self.desk.commanded():
                command, into = self._command(line, cell)
                with cancelled_by_sigint(_this_task()):
                    result = await self.desk.follow(command, into)
        except AssentError as error:
            raise Failed(str(error)) from None
        except asyncio.CancelledError:
            raise Stopped("The run was interrupted.") from None
        if result.status == "cancelled":
            raise Stopped("The run was stopped.")
        if result.status == "failed":
            raise Failed(f"The run {result.run} failed: {result.reason}")
        if cell is None and line.split(maxsplit=1)[0] == "ask" and not into:
            return result.outcome
        return None

    def _manage(self, line: str, cell: str | None) -> Any:
        name, _, rest = line.strip().partition(" ")
        if cell is not None:
            if runs_agent("run_cell_magic", line):
                raise ConfigError(_NOT_HERE)
            return manage.sql(self.desk, f"{rest}\n{cell}")
        if not name:
            return manage.status(self.desk)
        command = COMMANDS.get(name)
        if command is None:
            raise ConfigError(f"There is no command {name!r}; {options.meant(name, COMMANDS)}")
        if command.act is None:
            raise ConfigError(_NOT_HERE)
        return command.act(self.desk, rest if command.as_written else fill(rest, self.desk.namespace))

    def _command(self, line: str, cell: str | None) -> tuple[RunCommand, str]:
        if cell is None:
            name, _, rest = line.strip().partition(" ")
            if name == "fork":
                return travel.forking(self.desk, rest)
            return self._asked(rest) if name == "ask" else self._resumed(rest)
        words, given = options.split(line, options.RUN)
        if len(words) > 1:
            raise ConfigError(f"%%agent takes one agent's name, not {' '.join(words)!r}; the prompt is the cell body.")
        return self._started(cell, words[0] if words else "", given)

    def _asked(self, rest: str) -> tuple[StartRun, str]:
        given, prompt = options.leading(rest, options.RUN)
        return self._started(prompt, "", given)

    def _started(self, prompt: str, agent: str, given: dict[str, Any]) -> tuple[StartRun, str]:
        if not prompt.strip():
            raise ConfigError("There is no question: write it under %%agent, or behind %agent ask.")
        into = given.pop("into", "")
        with self.desk.session.unparted():
            text, told = interpolated(prompt.strip(), self.desk.namespace)
        return self.desk.command(text, agent, told=told, **given), into

    def _resumed(self, rest: str) -> tuple[ResumeRun, str]:
        words, given = options.split(fill(rest, self.desk.namespace), options.RESUME)
        run, into = options.one_run(words, "resume"), given.pop("into", "")
        return self.desk.resuming(run, **given), into


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # a coroutine is awaited by a task
    return task
