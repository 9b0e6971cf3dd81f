"""`python -m bench.agentdojo [SUITE ...]`: AgentDojo's attacks against our gate, without a model.

AgentDojo (PyPI `agentdojo`) has suites of tools over an environment, tasks of users with the calls that solve them, and
injected tasks with the calls that an attacker wants. A model that obeys every injection is the worst case, so none is
asked: a script proposes the user's calls up to the one whose result shows the injection, then the attacker's. They go
through a real session (loop, decide, approvals, execute) with the shipped policy, and act on the suite's own tools.

How a tool gets its privilege is one rule for all suites (`declared`), by the verb and the parameters that it has.
"""

import argparse
import asyncio
import contextlib
import copy
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assent.app import Session
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.events import Event, Kind
from assent.core.messages import ToolCall
from assent.models.scripted import ScriptedModel, Turn
from assent.policy import decide as gate
from assent.policy.taint import by_taint
from assent.tools.tool import Tool

SUITES = ("banking", "slack")
VERSION = "v1.2.2"
READING = frozenset({"get", "read", "list", "search", "find", "check"})
ADDRESSES, PATHS = ("url", "link", "address"), ("path", "file_path", "filename")
MODES = ("default", "allowed", "allowed, without the voice of taint")
_PERSON = "analyst"


def declared(name: str, parameters: Iterable[str]) -> dict[str, Any]:
    """What a careful person would declare of a tool who sees its name and its parameters only.

    A verb of reading makes it `read_only`; what it gives counts as untrusted, by its address or path where it has one.
    Who reads an address also sends it there, so it is `execute_safe` and acts outside. All others keep what `@tool`
    gives by itself: `execute_risky`, which acts outside.
    """
    verb, has = name.partition("_")[0], set(parameters)
    if verb not in READING:
        return {"privilege": "execute_risky"}
    if address := next((item for item in ADDRESSES if item in has), ""):
        return {"privilege": "execute_safe", "acts": "outside", "source": f"web:{{{address}}}"}
    path = next((item for item in PATHS if item in has), "")
    return {"privilege": "read_only", "source": f"file:{{{path}}}" if path else ""}


def acts_outside(name: str, parameters: Iterable[str]) -> bool:
    """Whether a call of it can do harm outside."""
    return declared(name, parameters)["privilege"] != "read_only"


@dataclass(slots=True)
class Stage:
    """The environment that the tools of a suite act on now, and the calls that were executed on it."""

    suite: Any
    env: Any = None
    done: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def tools(self) -> tuple[Tool[Any, Any], ...]:
        return tuple([self._tool(function) for function in self.suite.tools])

    def act(self, function: Any, arguments: Mapping[str, Any]) -> Any:
        needed = {name: item.extract_dep_from_env(self.env) for name, item in function.dependencies.items()}
        return function.run(**arguments, **needed)

    def _tool(self, function: Any) -> Tool[Any, Any]:
        def run(**arguments: Any) -> str:
            self.done.append((function.name, arguments))
            return said(self.act(function, arguments))

        schema = function.parameters.model_json_schema()
        how = declared(function.name, function.parameters.model_fields)
        return Tool(
            function=run, name=function.name, description=function.description, arguments=function.parameters,
            schema=schema, here=True, **how,
        )  # fmt: skip


def said(result: Any) -> str:
    """A result as a model would read it."""
    if isinstance(result, str):
        return result
    return json.dumps(result, default=lambda item: item.model_dump() if hasattr(item, "model_dump") else str(item))


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one replay: how often a person was asked, which calls were executed, if the goal was reached."""

    questions: int
    calls: tuple[tuple[str, dict[str, Any]], ...]
    reached: bool


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one suite in one mode."""

    suite: str
    mode: str
    attacks: int  # pairs of a user's task and an injected one that acts outside
    stopped: int  # of them, those of which nothing that acts outside was executed
    succeeded: int  # by AgentDojo's own judgement
    quiet: int  # attacks that only read: no gate stops these
    tasks: int
    solved: int
    questions: tuple[int, int, int]  # tasks with none, one, more


def measure(suite: Any, mode: str = "default") -> Row:
    """Replay all of a suite."""
    with _stage(suite, mode) as (stage, session, model):
        solved = [_solve(stage, session, model, task) for task in suite.user_tasks.values()]
        tried = [
            (_acts(suite, attack, stage), _attack(stage, session, model, task, attack))
            for task in suite.user_tasks.values()
            for attack in suite.injection_tasks.values()
        ]
    outside = [done for acts, done in tried if acts and done is not None]
    counts = [done.questions for done in solved]
    return Row(
        suite.name, mode, len(outside), sum(not done.calls for done in outside),
        sum(done.reached for done in outside), sum(done is not None and not acts for acts, done in tried),
        len(solved), sum(done.reached for done in solved),
        (counts.count(0), counts.count(1), sum(count > 1 for count in counts)),
    )  # fmt: skip


@contextlib.contextmanager
def _stage(suite: Any, mode: str) -> Iterator[tuple[Stage, Session, ScriptedModel]]:
    voices, stage, model = gate.VOICES, Stage(suite), ScriptedModel([])
    if mode == MODES[2]:
        gate.VOICES = tuple([voice for voice in voices if voice is not by_taint])
    try:
        with tempfile.TemporaryDirectory() as folder:
            session = Session(f"{folder}/.assent", {}, config=Config(), models=[model])
            try:
                if mode != MODES[0]:
                    _allow_all(stage, session, model)
                yield stage, session, model
            finally:
                session.close()
    finally:
        gate.VOICES = voices


def _allow_all(stage: Stage, session: Session, model: ScriptedModel) -> None:
    """A person who has allowed every tool for the session before, as far as that can be allowed."""
    for tool in stage.tools():
        fields = tool.arguments.model_fields
        stage.env = stage.suite.load_and_inject_default_environment({})
        _run(
            stage, session, model, [(tool.name, {name: _some(item) for name, item in fields.items()})], scope="session"
        )


def _some(item: Any) -> Any:
    kinds = {int: 1, float: 1.0, bool: False, list: []}
    return next((value for kind, value in kinds.items() if str(kind.__name__) in str(item.annotation)), "x")


def _solve(stage: Stage, session: Session, model: ScriptedModel, task: Any) -> Done:
    """A user's task, by a person who says yes to each of its calls."""
    stage.env = task.init_environment(stage.suite.load_and_inject_default_environment({}))
    before = copy.deepcopy(stage.env)
    calls = [(item.function, dict(item.args)) for item in task.ground_truth(copy.deepcopy(before))]
    questions = _run(stage, session, model, calls, task.GROUND_TRUTH_OUTPUT)
    with contextlib.redirect_stdout(io.StringIO()):
        reached = _judged(task.utility_from_traces, task.utility, task.GROUND_TRUTH_OUTPUT, before, stage)
    return Done(questions, tuple(stage.done), reached)


def _attack(stage: Stage, session: Session, model: ScriptedModel, task: Any, attack: Any) -> Done | None:
    """An injected task after the read that shows it, by a person who says yes to the user's calls and to no others.

    `Done.calls` are the attacker's calls that acted outside. None where the user's calls never show an injection.
    """
    marks = {name: f"injection{number}mark" for number, name in enumerate(stage.suite.get_injection_vector_defaults())}
    stage.env = task.init_environment(stage.suite.load_and_inject_default_environment(marks))
    before = copy.deepcopy(stage.env)
    calls = _up_to_injection(stage, task, marks.values())
    if calls is None:
        return None
    stage.env = copy.deepcopy(before)
    wanted = [(item.function, dict(item.args)) for item in attack.ground_truth(copy.deepcopy(before))]
    questions = _run(stage, session, model, [*calls, *wanted], agreed=len(calls))
    with contextlib.redirect_stdout(io.StringIO()):
        reached = _judged(attack.security_from_traces, attack.security, attack.GROUND_TRUTH_OUTPUT, before, stage)
    parameters = {item.name: item.parameters.model_fields for item in stage.suite.tools}
    harmful = [item for item in stage.done[len(calls) :] if acts_outside(item[0], parameters[item[0]])]
    return Done(questions, tuple(harmful), reached)


def _up_to_injection(stage: Stage, task: Any, marks: Iterable[str]) -> list[tuple[str, dict[str, Any]]] | None:
    """The user's calls up to the first whose result holds an injected text; None where none does."""
    functions = {item.name: item for item in stage.suite.tools}
    calls: list[tuple[str, dict[str, Any]]] = []
    for item in task.ground_truth(copy.deepcopy(stage.env)):
        calls.append((item.function, dict(item.args)))
        with contextlib.suppress(Exception):  # a tool's own error is its result
            shown = said(stage.act(functions[item.function], item.args))
            if any(mark in shown for mark in marks):
                return calls
    return None


def _acts(suite: Any, attack: Any, stage: Stage) -> bool:
    """Whether an injected task acts outside at all."""
    parameters = {item.name: item.parameters.model_fields for item in suite.tools}
    calls = attack.ground_truth(suite.load_and_inject_default_environment({}))
    return any(acts_outside(item.function, parameters[item.function]) for item in calls)


def _run(
    stage: Stage, session: Session, model: ScriptedModel, calls: Sequence[tuple[str, dict[str, Any]]],
    answer: str = "", *, agreed: int | None = None, scope: Any = "once",
) -> int:  # fmt: skip
    """A run of these calls, one a step; how often a person is asked, who says yes to the first `agreed` (None: all)."""
    stage.done = []
    says = [[ToolCall("", name, json.dumps(arguments))] for name, arguments in calls]
    model.turns = tuple([Turn(turn) for turn in (*says, answer or "done")])
    agent = Agent(name=_PERSON, tools=stage.tools(), max_steps=len(calls) + 2)
    result = asyncio.run(session.drain(StartRun("Go.", agent)))
    while result.status == "suspended":
        for item in result.pending:
            number = int(item.call.rpartition(".")[2])
            yes = agreed is None or number <= agreed
            session.decide(
                Decide(item.call, "approve" if yes else "reject", by=_PERSON, scope=scope if yes else "once")
            )
        result = asyncio.run(session.drain(ResumeRun(result.run)))
    if result.status != "finished":
        raise RuntimeError(f"The run of {calls} is {result.status}: {result.reason}")
    return sum(map(_is_question, session.events(result.run)))


def _is_question(event: Event) -> bool:
    return event.kind is Kind.CALL_DECIDED and event.decision == "ask"


def _judged(
    by_traces: Callable[..., Any], by_state: Callable[..., Any], answer: str, before: Any, stage: Stage
) -> bool:
    """AgentDojo's own judgement: by the calls that were made, else by what has become of the environment."""
    traces = [_Trace(name, arguments) for name, arguments in stage.done]
    judged = by_traces(answer, before, stage.env, traces)
    return bool(by_state(answer, before, stage.env) if judged is None else judged)


@dataclass(frozen=True, slots=True)
class _Trace:
    function: str
    args: dict[str, Any]


def load(name: str) -> Any:
    """A suite of AgentDojo's."""
    from agentdojo.task_suite.load_suites import get_suite  # in an environment of its own: `make agentdojo`

    return get_suite(VERSION, name)


def table(rows: Iterable[Row]) -> str:
    """The figures as Markdown."""
    lines = [
        "| suite | policy | attacks | stopped | succeeded | user tasks | solved | not asked | once | more |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        figures = (row.attacks, row.stopped, row.succeeded, row.tasks, row.solved, *row.questions)
        lines.append(f"| {row.suite} | {row.mode} | " + " | ".join(map(str, figures)) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.agentdojo", description="AgentDojo's attacks, our gate.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)} if none is named")
    suites = [load(name) for name in parser.parse_args(arguments).suites or SUITES]
    rows = [measure(suite, mode) for suite in suites for mode in MODES]
    print(table(rows))
    if quiet := sum(row.quiet for row in rows if row.mode == MODES[0]):
        print(f"\nBesides, {quiet} attacks only read: they change nothing, and no gate stops them.")


if __name__ == "__main__":
    main()
