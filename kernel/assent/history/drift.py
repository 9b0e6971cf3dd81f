"""What is no more as it was recorded, in words: of the agent and its tools, and of each question to the model."""

from collections.abc import Mapping, Sequence
from typing import Any

from assent.core.canonical import canonical
from assent.core.messages import Message
from assent.history.essence import excerpts
from assent.history.portable import told
from assent.history.recording import Take, Turn, account
from assent.runs.run import Run
from assent.runs.state import State

_SETTINGS = ("temperature", "max_tokens", "effort")  # of an agent, that a model is told of beside the messages
_ROLES = {"system": "the agent's instructions", "user": "the prompt", "assistant": "the model's own words"}


def of_run(take: Take, run: Run, model: str, *, same_python: bool) -> str:
    """What has changed since, before anything is asked; "" where all is as it was. `model` is who is to be asked.

    Code is compared only under the Python that it was recorded with: another one compiles the same code otherwise.
    """
    if model and model != take.model and model not in (take.model.partition(":")[0], take.model.partition(":")[2]):
        return differs("the model", take.model, model)
    if take.mode != run.state.mode:
        return differs("the mode", take.mode, run.state.mode)
    now = run.state.agent.to_json()
    for name in _SETTINGS:
        if take.agent.get(name) != now[name]:
            return differs(f"the agent's {name}", take.agent.get(name), now[name])
    if drift := _of_tools(take.tools, {name: account(tool) for name, tool in run.tools.items()}, same_python):
        return drift
    if canonical(take.output) != canonical(run.state.output):
        schemas = [(item or {}).get("schema") for item in (take.output, run.state.output)]
        return differs("the type of the answer", *schemas)
    return ""


def of_question(turn: Turn, state: State, since: float, begin: int = 0) -> str:
    """What differs between the conversation before a recorded turn and that of a run that began at `since`.

    The first `begin` messages are known to be the same.
    """
    then, now = turn.before, state.messages
    for place in range(begin, min(len(then), len(now))):
        was, is_now = told(then[place]), told(now[place], state.run, since)
        if was != is_now:
            return _of_message(was, is_now, sum(len(item.calls) for item in now[:place]), now[:place])
    return "" if len(then) == len(now) else differs("the conversation", _said(then), _said(now))


def _of_tools(then: Mapping[str, Any], now: Mapping[str, Any], same_python: bool) -> str:
    if list(then) != list(now):
        return differs("the list of the agent's tools", ", ".join(then), ", ".join(now))
    for name, old in then.items():
        for part in ("description", "schema", "privilege"):
            if canonical(old[part]) != canonical(now[name][part]):
                return differs(f"the {part} of the tool {name}", old[part], now[name][part])
        if same_python and old["code"] != now[name]["code"]:
            return f"the code of the tool {name} has changed"
    return ""


def _of_message(then: Mapping[str, Any], now: Mapping[str, Any], calls: int, before: Sequence[Message]) -> str:
    if then["role"] != now["role"]:
        return differs("the conversation", then["role"], now["role"])
    if now["role"] == "tool":
        first = calls - len(now["parts"]) + 1
        for number, (old, new) in enumerate(zip(then["parts"], now["parts"], strict=False), first):
            if old != new:
                return differs(f"the result of call {number} ({new['name']})", old["text"], new["text"])
    images = [[part for part in value["parts"] if part["kind"] == "image"] for value in (then, now)]
    if images[0] != images[1]:
        return "the pictures for the model have changed"
    again = now["role"] == "user" and any(message.role == "assistant" for message in before)
    name = "what the model was told of its answer" if again else _ROLES.get(now["role"], "the conversation")
    return differs(name, *["\n".join([part.get("text", "") for part in value["parts"]]) for value in (then, now)])


def _said(messages: Sequence[Message]) -> str:
    return f"{len(messages)} messages"


def differs(what: str, then: Any, now: Any) -> str:
    """That something has changed, both sides cut to where they do."""
    was, is_now = excerpts(then, now)
    return f"{what} has changed: recorded {was}, now {is_now}"
