"""How much a model is to think, as its vendor wants to be told, and what comes with thinking.

Sources: the vendors' pages on reasoning, and which models pydantic-ai found to accept what (its `profiles`).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from assent.core.model import Effort

_GPT = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
_SILENT = ("gpt-3", "gpt-4", "chatgpt-", "gpt-5-chat")  # OpenAI's models that do not think
_FIXED = re.compile(r"-(pro|chat)\b")  # always the same effort

Thinking = Callable[[str, Effort], Mapping[str, Any]]


def thinks(model: str) -> bool:
    """Whether an OpenAI model can think at all; a name that is not OpenAI's is not known to."""
    return not model.startswith(_SILENT) and bool(re.match(r"o\d|gpt-\d|codex", model))


def heats(way: str, model: str, effort: Effort | None) -> bool:
    """Whether a model takes a temperature: OpenAI's do not while they think, Moonshot's own Kimi never does."""
    if way == "moonshot" and model.startswith("kimi-"):
        return False
    if not thinks(model):
        return True
    return _can_stop(model) if effort == "none" else effort is None and _starts_silent(model)


def openai(model: str, effort: Effort) -> Mapping[str, Any]:
    """OpenAI's field, without what the model would refuse. A name that is not OpenAI's gets it as it is."""
    if model.startswith(_SILENT) or (thinks(model) and _FIXED.search(model)):
        return {}
    if effort == "none" and thinks(model) and not _can_stop(model):
        return {"reasoning_effort": "minimal" if re.match(r"gpt-5(?!\.|.*codex)", model) else "low"}
    return {"reasoning_effort": effort}


def groq(model: str, effort: Effort) -> Mapping[str, Any]:
    """gpt-oss thinks more or less, Qwen thinks or does not, others are not to be told."""
    if model.startswith("openai/gpt-oss"):
        return {"reasoning_effort": "low" if effort == "none" else effort}
    if model.startswith("qwen/qwen3"):
        return {"reasoning_effort": "none" if effort == "none" else "default"}
    return {}


def deepseek(model: str, effort: Effort) -> Mapping[str, Any]:
    """A switch, and how much."""
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {"type": "enabled"}, "reasoning_effort": effort}


def moonshot(model: str, effort: Effort) -> Mapping[str, Any]:
    """Kimi K3 thinks more or less; K2.5 and K2.6 think or do not; the others always do."""
    if model.startswith("kimi-k3"):
        return {"reasoning_effort": "low" if effort in ("none", "low") else "high"}
    if model.startswith(("kimi-k2.5", "kimi-k2.6")):
        return {"thinking": {"type": "disabled" if effort == "none" else "enabled"}}
    return {}


def openrouter(model: str, effort: Effort) -> Mapping[str, Any]:
    """One field for every vendor behind it."""
    return {"reasoning": {"effort": effort}}


def mistral(model: str, effort: Effort) -> Mapping[str, Any]:
    """Newer small and medium models think when told to; any other refuses the field."""
    if re.match(r"mistral-(small|medium)-(latest|4|3-5|3\.5|26)", model):
        return {"reasoning_effort": "none" if effort in ("none", "low") else "high"}
    return {}


def xai(model: str, effort: Effort) -> Mapping[str, Any]:
    """Only Grok 3 mini and Grok from 4.3 on are to be told."""
    if model.startswith("grok-3-mini"):
        return {"reasoning_effort": "high" if effort == "high" else "low"}
    if re.match(r"grok-(4\.[3-9]|[5-9]|latest)", model):
        return {"reasoning_effort": effort}
    return {}


def plain(model: str, effort: Effort) -> Mapping[str, Any]:
    """OpenAI's field as it is."""
    return {"reasoning_effort": effort}


WAYS: Mapping[str, Thinking] = {
    way.__name__: way for way in (openai, groq, deepseek, moonshot, openrouter, mistral, xai, plain)
}


def told(way: str, model: str, effort: Effort | None) -> dict[str, Any]:
    """The fields that tell `model` how much to think, in the way of that name; "" and None tell nothing."""
    fields = dict(WAYS[way](model, effort)) if way and effort is not None else {}
    if way == "groq" and model.startswith(("qwen/", "qwen-qwq", "deepseek-r1")):
        fields["reasoning_format"] = "parsed"  # else the thinking stands in the text, between tags
    return fields


def _can_stop(model: str) -> bool:
    """From GPT-5.1 on a model can be told not to think."""
    fixed = _FIXED.search(model) or model.startswith(("gpt-5.1-codex", "gpt-6"))
    return _version(model) > (5, 0) and not fixed


def _starts_silent(model: str) -> bool:
    """GPT-5.1 to 5.4 think only when told to."""
    return _can_stop(model) and _version(model) <= (5, 4)


def _version(model: str) -> tuple[int, int]:
    found = _GPT.match(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
