"""A resumed run goes on with what it was begun with; where something is not to be had, it says what, and waits."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, kinds, opened, ran, resumed
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.errors import ConfigError, NoModel, NotFound
from assent.core.model import Request
from assent.models.scripted import ScriptedModel
from assent.tools.tool import tool


@tool
def mail(to: str) -> str:
    """Asks."""
    return f"mailed {to}"


def suspended(folder: Path, **options: Any) -> str:
    """A run that waits for an answer and has been given it since."""
    with opened(folder, call("mail", to="ana")) as session:
        result = ran(session, mail, **options)
        approve(session, result.pending[0].call)
        return result.run


class Hearing(ScriptedModel):
    """Keeps what it is asked."""

    def __init__(self, *turns: Any, name: str = "scripted:script") -> None:
        self.heard: list[Request] = []
        super().__init__([self._keep(turn) for turn in turns], name)

    def _keep(self, turn: Any) -> Any:
        def says(request: Request) -> Any:
            self.heard.append(request)
            return turn

        return says


def test_it_asks_the_model_as_it_would_have_asked_it(tmp_path: Path) -> None:
    """Whatever the settings say of agents and models by now."""
    agent = Agent(
        "tester", "Be brief.", tools=(mail,), policy={"mail": "ask"}, temperature=0.5, max_tokens=99, effort="low",
        priority="high", max_steps=7, parallel=2,
    )  # fmt: skip
    turns = (call("mail", to="ana"), "Done.")
    asked = []
    for folder, settings in (("straight", Config()), ("resumed", Config(model="scripted:other", max_steps=1))):
        model, other = Hearing(*turns), Hearing("I am another.", name="scripted:other")
        first = Session(prepare(tmp_path / folder), config=Config(), models=[model])
        first.define(agent)
        result = ran_by(first, agent)
        approve(first, result.pending[0].call)
        if folder == "resumed":
            first.close()
            first = Session(tmp_path / folder, config=settings, models=[other, model])
            first.add_tool(mail)
            first.define(Agent("tester", "Be long-winded.", tools=(), temperature=1.0))
        assert resumed(first, result.run).text == "Done."
        assert other.heard == []
        asked.append(model.heard[-1])
        first.close()
    assert told(asked[0]) == told(asked[1])


def ran_by(session: Session, agent: Agent) -> Any:
    return asyncio.run(session.run(agent, "Mail ana."))


def told(request: Request) -> tuple[Any, ...]:
    """A request, without what the runs' own ids make different."""
    said = [(message.role, message.text, [part.name for part in message.calls]) for message in request.messages]
    rest = (request.temperature, request.max_tokens, request.effort, request.priority, request.agent, request.output)
    return said, list(request.tools), *rest


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("anthropic:claude-opus-4-5", "needs a key: set ANTHROPIC_API_KEY"),
        ("custom:qwen", "There is no model 'custom:qwen'"),
    ],
)
def test_a_model_that_is_not_to_be_had(tmp_path: Path, name: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key is gone, or the server that the settings named."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    model = ScriptedModel([call("mail", to="ana")], name)
    session = Session(prepare(tmp_path), config=Config(), models=[model])
    result = ran(session, mail)
    approve(session, result.pending[0].call)
    session.close()
    with opened(tmp_path, "", "Done.", tools=(mail,)) as session:
        before = kinds(session, result.run)
        with pytest.raises(NoModel) as error:
            resumed(session, result.run)
        assert f"goes on with the model {name!r}, which is not to be had" in str(error.value)
        assert says in str(error.value)
        assert str(error.value).endswith(f"%agent resume {result.run} --model NAME.")
        assert kinds(session, result.run) == before
        assert resumed(session, result.run, model="scripted:script").text == "Done."


def test_a_tool_that_is_not_here(tmp_path: Path) -> None:
    run = suspended(tmp_path)
    with opened(tmp_path, "", "Done.") as session:
        before = kinds(session, run)
        with pytest.raises(NotFound, match="needs the tool mail, which is not defined in this session"):
            resumed(session, run)
        assert kinds(session, run) == before
        session.add_tool(mail)
        assert resumed(session, run).text == "Done."


@dataclass
class Person:
    name: str
    age: int


@dataclass
class Older:
    name: str


def test_a_type_that_is_not_here_or_is_another_one_now(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="ana")) as session:
        result = ran(session, mail, output_type=Person)
        approve(session, result.pending[0].call)
    namespace: dict[str, Any] = {}
    with opened(tmp_path, "", '{"name": "Ana", "age": 5}', tools=(mail,), namespace=namespace) as session:
        before = kinds(session, result.run)
        with pytest.raises(NotFound, match="no type 'Person' in this session"):
            resumed(session, result.run)
        namespace["Person"] = Older
        with pytest.raises(ConfigError, match="its schema has changed"):
            resumed(session, result.run)
        assert kinds(session, result.run) == before
        namespace["Person"] = Person
        assert resumed(session, result.run).value == Person("Ana", 5)
