"""Holding a model to a schema by a tool or by words, where its vendor has no field for it."""

import pytest

from assent.core import messages
from assent.core.messages import Message
from assent.core.model import OutputSchema, Request, ToolSpec
from assent.models.wires.answer_form import TOOL, formed, in_words

CITY = OutputSchema("place", {"type": "object", "properties": {"city": {"type": "string"}}})
SQL = ToolSpec("sql", "Query.", {"type": "object"})
ASKED = (messages.system("Be brief."), messages.user("Where?"))


def request(*conversation: Message, tools: tuple[ToolSpec, ...] = (), choice: str = "auto") -> Request:
    return Request(conversation or ASKED, tools, tool_choice=choice, output=CITY)


def test_a_field_of_the_vendors_is_left_to_its_wire() -> None:
    assert formed(request(), CITY, "native") == (request(), "")


def test_a_tool_whose_arguments_are_the_answer() -> None:
    made, tool = formed(request(tools=(SQL,)), CITY, "tool")
    assert (tool, [one.name for one in made.tools], made.tool_choice, made.output) == (
        TOOL, ["sql", TOOL], "required", None,
    )  # fmt: skip
    assert made.tools[-1].schema == CITY.schema
    assert formed(request(tools=(SQL,), choice="sql"), CITY, "tool")[0].tool_choice == "sql"


@pytest.mark.parametrize("conversation", [ASKED, ASKED[1:]])
def test_words_in_the_first_system_message(conversation: tuple[Message, ...]) -> None:
    made, tool = formed(request(*conversation), CITY, "prompt")
    assert (tool, made.output) == ("", None)
    assert [message.role for message in made.messages] == ["system", "user"]
    assert made.messages[0].text.endswith(in_words(CITY))
    assert made.messages[0].text.startswith(conversation[0].text if len(conversation) == 2 else "Give the final answer")
    assert made.messages[1] is ASKED[1]


def test_a_grammar_would_keep_it_from_calling_tools() -> None:
    assert formed(request(), CITY, "grammar") == (request(), "")
    assert formed(request(tools=(SQL,)), CITY, "grammar") == formed(request(tools=(SQL,)), CITY, "prompt")
