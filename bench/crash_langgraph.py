"""LangGraph's prebuilt agent with its SQLite saver, in the same peril. Runs where LangGraph is installed: `make peers`.

`python -m bench.crash_langgraph KILLS [sync]`; its checkpoints are written as by default, or with `sync`
before the next step begins, which is the safest that it offers.
"""

import sqlite3
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.prebuilt import create_react_agent

from bench import doom

CONFIG: Any = {"configurable": {"thread_id": "one"}}


class Script(BaseChatModel):
    """Asks for the effects of each batch, then answers."""

    folder: Path
    moment: str

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Any, **options: Any) -> "Script":
        return self

    def _generate(self, messages: Sequence[BaseMessage], *rest: Any, **options: Any) -> ChatResult:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        doom.asked(self.folder, turn, self.moment)
        batches = doom.batches(self.moment)
        batch = batches[turn] if turn < len(batches) else []
        calls = [{"name": "note", "args": {"line": line}, "id": f"{turn}.{line}"} for line in batch]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="done", tool_calls=calls))])


def live(folder: Path, moment: str) -> None:
    """Begin the run, or take it up where its last checkpoint stands."""

    @tool
    def note(line: str) -> str:
        """Write a line."""
        doom.act(folder, line, moment)
        return line

    connection = sqlite3.connect(folder / "checkpoints.sqlite", check_same_thread=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it will move to another package
        graph = create_react_agent(Script(folder=folder, moment=moment), [note], checkpointer=SqliteSaver(connection))
    begun = graph.get_state(CONFIG).next or graph.get_state(CONFIG).values
    durability: Any = "sync" if "sync" in sys.argv else None
    graph.invoke(None if begun else {"messages": [("user", "Go.")]}, CONFIG, durability=durability)
    connection.close()


if __name__ == "__main__":
    doom.main(live)
