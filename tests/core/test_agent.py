"""An agent is a value that survives the journal; a wrong field is refused where it is written."""

import json
from typing import Any

import pytest

from assent.core.agent import Agent, from_json
from assent.core.errors import ConfigError
from assent.tools.tool import tool


def test_an_agent_comes_back_from_json_as_it_was() -> None:
    agent = Agent(name="a-b_c", tools=("sql",), policy={"sql": "ask"}, max_steps=3, temperature=0, max_tokens=9)
    assert from_json(json.loads(json.dumps(agent.to_json()))) == agent


def test_tools_may_be_given_themselves_and_are_written_by_name() -> None:
    @tool
    def add(a: int) -> int:
        return a

    agent = Agent(tools=["sql", add])  # type: ignore[arg-type]  # a list is what people write
    assert agent.tool_names == ("sql", "add")
    assert agent.to_json()["tools"] == ["sql", "add"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "two words"}, "no name for an agent"),
        ({"name": ""}, "no name for an agent"),
        ({"tools": "sql"}, "tools must be list or tuple"),
        ({"policy": {"sql": "never"}}, "must be one of auto, ask, disabled"),
        ({"max_steps": 0}, "must be at least 1"),
        ({"parallel": 0}, "must be at least 1"),
        ({"tool_timeout": 0}, "above 0"),
        ({"tool_timeout": float("nan")}, "above 0"),
        ({"temperature": "hot"}, "temperature must be"),
    ],
)
def test_a_wrong_field_is_one_clear_sentence(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Agent(**fields)


def test_an_unknown_field_names_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="Unknown agent setting colour; there are description"):
        from_json({"name": "a", "colour": "red"})
