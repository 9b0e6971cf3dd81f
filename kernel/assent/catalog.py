"""What a session can name: agents, tools and models."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from assent.core import people
from assent.core.agent import Agent
from assent.core.agent import from_json as agent_from_json
from assent.core.commands import StartRun
from assent.core.config import Config
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Kind, Scope
from assent.core.model import Model
from assent.models import keys
from assent.models.registry import Registry
from assent.models.resolve import default_model
from assent.policy.document import from_values
from assent.policy.explain import Explained, explain
from assent.policy.facts import Call, Facts, facts
from assent.policy.known import Known, check
from assent.policy.layers import NONE, Layers
from assent.policy.loader import Loader
from assent.policy.modes import strictest
from assent.policy.overview import Row, overview
from assent.policy.risk import checks_of, with_checks
from assent.risk.check import Checks
from assent.runs.trusted import Trusted
from assent.runs.waivers import Waivers
from assent.store.window import Window
from assent.tools.paths import strange
from assent.tools.reading import read
from assent.tools.tool import Tool

Tools = Mapping[str, Tool[Any, Any]]

# The moment is a parameter: the database's own now() is in the machine's time zone, and the journal's times are UTC.
# The clock may have been set back: an answer from a near future counts as of now, one from a far future not at all.
_SPENT = """SELECT greatest($now - epoch(time), 0), cost FROM events
    WHERE kind = $kind AND model = $model AND cost > 0
        AND time > make_timestamp($now::BIGINT * 1000000) - INTERVAL 1 HOUR
        AND time < make_timestamp($now::BIGINT * 1000000) + INTERVAL 1 HOUR"""


_NAMES = "SELECT DISTINCT tool, agent FROM events"


class Catalog:
    """Holds the tools and models of one session by name, and the models' connections until `aclose`.

    `built_in` tools keep their names to themselves. The first of `models` is the default where no setting names one.
    """

    def __init__(
        self,
        journal: Window,
        namespace: Callable[[], Mapping[str, Any]],
        config: Config,
        built_in: Iterable[Tool[Any, Any]],
        models: Sequence[Model],
    ) -> None:
        self.config = config
        self.policies = Loader(journal.folder)
        self._checked: tuple[Layers, Tools] | None = None
        self._remarked = NONE  # whose remarks were looked for last
        self._remarks: set[str] = set()  # those that were made
        self.waivers = Waivers(journal, lambda: self.policies.layers().of("waiver"))
        self.trusted = Trusted(journal, lambda: self.policies.layers().of("trust"))
        self._journal = journal
        self._namespace = namespace
        self._agents: dict[str, Agent] = {}
        self._tools = {tool.name: tool for tool in built_in}
        self._built_in = frozenset(self._tools)
        self._models = Registry(lambda: self.config, journal.folder, models, self._spent)
        self._first_model = models[0].name if models else ""
        keys.learn(journal.folder)  # a tool may print them, whichever model is asked

    def define(self, agent: Agent) -> None:
        """Keep an agent under its name, in the workspace, for this session and later ones."""
        self._adopt(agent)
        self._agents[agent.name] = agent
        scope = Scope(agent=agent.name)
        self._journal.append([scope.event(Kind.AGENT_DEFINED, body=agent.to_json())]).result()

    def agents(self) -> dict[str, Agent]:
        """Every agent that can be named: the configuration's, the workspace's, this session's."""
        from_journal = [agent_from_json(event.body) for event in self._journal.events(kind=Kind.AGENT_DEFINED)]
        default = Agent(model=self.config.model, max_steps=self.config.max_steps)
        known = (default, *self.config.agents, *from_journal)
        return {agent.name: agent for agent in known} | self._agents

    def agent(self, name: str) -> Agent:
        """The agent of that name; `NotFound` names the ones there are."""
        agents = self.agents()
        if name not in agents:
            raise NotFound(f"There is no agent {name!r}; there are {', '.join(agents)}. %agent new makes one.")
        return agents[name]

    def agent_for(self, command: StartRun) -> Agent:
        """The agent that a command starts, with what the command changes; the tools it brings are known from now."""
        agent = self.agent(command.agent) if isinstance(command.agent, str) else command.agent
        self._adopt(agent)
        wanted = {"max_steps": command.max_steps, "effort": command.effort, "priority": command.priority}
        changes: dict[str, Any] = {name: value for name, value in wanted.items() if value}
        return replace(agent, **changes) if changes else agent

    def add_tool(self, tool: Tool[Any, Any]) -> None:
        """Make a tool available to agents by its name."""
        if tool.name in self._built_in and self._tools[tool.name] is not tool:
            raise ConfigError(f"{tool.name!r} is a built-in tool; give yours another name.")
        self._tools[tool.name] = tool

    def tools(self) -> dict[str, Tool[Any, Any]]:
        """Every tool by name: built in, added, or defined in the namespace with `@tool`."""
        found = {item.name: item for item in list(self._namespace().values()) if isinstance(item, Tool)}
        return found | self._tools

    def tools_of(self, agent: Agent) -> dict[str, Tool[Any, Any]]:
        """The agent's tools by name; `NotFound` names the ones that are not here."""
        known = self.tools()
        if missing := [name for name in agent.tool_names if name not in known]:
            raise NotFound(
                f"The agent {agent.name!r} needs the tool {', '.join(missing)}, which is not defined in this session. "
                "Run the cell that defines it, then try again."
            )
        return {name: known[name] for name in agent.tool_names}

    def rules(
        self, agent: Agent, tools: Tools, user: str | None = None, above: Sequence[Agent] = (),
        under: tuple[Loader, ...] = (),
    ) -> Facts:  # fmt: skip
        """What policy knows of an agent's tools: the workspace's policy and the agent's, the stricter for each.

        `user` is whose run it is, `above` the agents whose calls have started it, `under` the policies of the
        sessions whose calls these are: what holds for these holds for it.
        `ConfigError` where a policy file is broken.
        """
        privileges = {name: tool.privilege for name, tool in tools.items()}
        policies = [self.config.policy, *[item.policy for item in (agent, *above)]]
        modes = {name: strictest(*[policy.get(name) for policy in policies]) for name in tools}
        identities = {name: tool.identity for name, tool in tools.items()}
        folder = str(self._journal.folder.parent)
        self._check(self.policies.layers())
        layers = self.policies.layers(under)
        found = facts(privileges, modes, identities, layers, agent=agent.name, user=user or "", folder=folder)
        others = tuple(dict.fromkeys([item.name for item in above if item.name != agent.name]))
        found = replace(found, above=others) if others else found
        acts = {name: tool.acts for name, tool in tools.items() if tool.acts}
        found = replace(found, acts=acts) if acts else found
        return with_checks(found, {name: tool.risk for name, tool in tools.items() if tool.risk})

    def checks(self, tool: str) -> Checks:
        """The risk checks of what goes by a tool's name: the tool's own, where there is one, and the policy's."""
        known = self.tools().get(tool)
        return checks_of(self.policies.layers(), tool, known.risk if known else ())

    def is_current(self, rules: Facts, under: tuple[Loader, ...] = ()) -> bool:
        """Whether the policy is still the one that the rules were made of, by a look at its files' times."""
        return self.policies.layers(under) is rules.layers

    def tighten(self, values: Mapping[str, Any], *, more: bool) -> None:
        """Make `values`, in the shape of a policy file, the session's own layer, or, if `more`, add them to it."""
        before = self.policies.session
        kept = before if more else ()
        first = 1 + sum(len(found) for item in kept for found in item.sections.values())
        added = (from_values(values, "session", "session", first=first),) if values else ()
        self.policies.session = (*kept, *added)
        try:
            self._check(self.policies.layers())
        except ConfigError:
            self.policies.session = before
            raise

    def holds(self, agent: str = "") -> list[Row]:
        """What the policy says, as rows; `agent` is one that there is besides those of the workspace."""
        layers = self.policies.layers()
        agents = self.agents()
        own = {f"agent {item.name}": item.policy for item in agents.values() if item.policy}
        modes = {"settings": self.config.policy, **own}
        self._check(layers)
        seen = self._journal.select(_NAMES) if layers is not NONE else []
        there = {*agents, agent, *[name for _, name in seen if name]}
        try:
            listed = people.names()
        except ConfigError:
            listed = None  # whoever answers is told so
        return overview(layers, modes, there, {*self.tools(), *[name for name, _ in seen if name]}, listed)

    def remarks(self, agent: str) -> list[str]:
        """What there is to say of the policy's lines as a run of an agent opens; each is said once."""
        layers = self.policies.layers()
        if layers is self._remarked or layers is NONE:
            return []
        self._remarked = layers
        found = [row.remark for row in self.holds(agent) if row.note]
        new = [remark for remark in dict.fromkeys(found) if remark not in self._remarks]
        self._remarks.update(new)
        return new

    def explain(self, agent: Agent, call: Call, user: str) -> Explained:
        """How a call of such a run would be decided at its start, and why."""
        tools = self.tools_of(agent)
        rules = self.rules(agent, tools, user)
        scope = Scope(agent=agent.name, user=user, tenant=self._journal.tenant)
        waivers = self.waivers.of(scope, rules.layers.of("waiver"))
        named = {"settings": self.config.policy, f"agent {agent.name}": agent.policy}
        modes = {name: policy[call.tool] for name, policy in named.items() if call.tool in policy}
        if call.tool in tools:
            with contextlib.suppress(ValueError):  # arguments that do not fit are judged as they are written
                call = replace(call, reading=read(tools[call.tool], call.arguments))
        return explain(call, replace(rules, waivers=waivers), modes)

    def _check(self, layers: Layers) -> None:
        """Refuse a policy that names what is not here, or that would loosen; once for the same policy and tools."""
        if layers is NONE or self._checked == (layers, tools := self.tools()):
            return
        known = {name: Known(tool.privilege, _arguments(tool), _strange(tool)) for name, tool in tools.items()}
        check(layers, known, self._elsewhere)
        self._checked = (layers, tools)

    def _elsewhere(self) -> set[str]:
        """The tools that are not in this session, but in the workspace."""
        tools = {name for item in self.agents().values() for name in item.tool_names}
        return tools | {name for name, _ in self._journal.select(_NAMES) if name}

    def model(self, name: str = "") -> Model:
        """The model of that name, or the default one; `NoModel` says what to do when there is none."""
        name = name or self.config.model or self._first_model or default_model(self.config, self._journal.folder)
        return self._models.model(name)

    async def aclose(self) -> None:
        """Close the models' connections."""
        await self._models.aclose()

    def _spent(self, model: str) -> list[tuple[float, Decimal | None]]:
        """The age in seconds and the cost of a model's answers in the last hour, whoever had them."""
        known = {"now": time.time(), "kind": Kind.MODEL_ANSWERED, "model": model}
        return self._journal.house.select(_SPENT, known)  # a limit is one for everybody

    def _adopt(self, agent: Agent) -> None:
        """Make the tools that an agent brings along known by name."""
        for tool in agent.tools:
            if isinstance(tool, Tool):
                self.add_tool(tool)


def _arguments(tool: Tool[Any, Any]) -> frozenset[str] | None:
    """The names of a tool's arguments; None where it takes any."""
    return None if tool.schema.get("additionalProperties") else frozenset(tool.schema.get("properties", ()))


def _strange(tool: Tool[Any, Any]) -> Callable[[str], tuple[str, Collection[str]] | None]:
    return lambda path: strange(tool.arguments, tool.schema, path)
