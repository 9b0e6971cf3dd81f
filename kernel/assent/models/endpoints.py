"""Vendors, as rows of a table: where each answers, in which wire format, with which quirks."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One vendor. `keys` and `bases` name environment variables, first found first used.

    `model` is what to ask when only the vendor is named. `own_machine` needs no key and costs nothing. `wire` is the
    format it speaks. `structured` is how it is held to a schema: "native" by a field of the request, "tool" by a tool
    whose arguments are the answer, "prompt" by words, "grammar" by the field where there are no tools, which it would
    keep the model from calling, and else by words. `effort` is the way in which it is told how much to think (a name
    in wires/thinking.py, "" for none), `ids` the pattern that the ids of calls must match, "" for any. `moved` is the
    pattern of models that the vendor serves, or serves well, only in the format of another row, and that row's name.

    Of the chat format: `limit` is the field that bounds the answer's tokens, `reasoning` the one in which the vendor
    wants its thinking back as text, `unknown` what stands there where calls came without any (from another vendor),
    which some refuse; `details` the field for thinking that must go back unchanged. `forced` says whether a call can
    be demanded: "yes", "unthinking" by a model that is kept from thinking, or "no", where it is asked for as "auto".
    `counted` says whether the tokens of a stream must be asked for, `apart` whether those of thinking are not among
    the answer's. `between` is what the model is made to say before a user who speaks right after a tool, where that is
    refused. `marked` is how the names of models begin whose prompts are cached only if a request asks for it,
    `fields` are sent with every request.
    """

    name: str
    title: str
    base_url: str
    keys: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    model: str = ""
    own_machine: bool = False
    wire: str = "chat"
    structured: str = "native"
    limit: str = "max_tokens"
    reasoning: str = ""
    unknown: str = ""
    details: str = ""
    effort: str = ""
    ids: str = "[!-~]+"
    moved: tuple[str, str] = ("", "")
    forced: str = "yes"
    counted: bool = True
    apart: bool = False
    between: str = ""
    marked: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)


ENDPOINTS = (
    Endpoint(
        "openai", "OpenAI", "https://api.openai.com/v1", ("OPENAI_API_KEY",), ("OPENAI_BASE_URL",), "gpt-5-mini",
        limit="max_completion_tokens", effort="openai", ids=r"[!-~]{1,40}",
        # "Function tools with reasoning_effort are not supported … in /v1/chat/completions"; -pro and codex never were.
        moved=(r"gpt-5\.\d|gpt-[6-9]|codex|(gpt-|o)\S*-(pro|codex|deep-research)\b", "openai-responses"),
    ),
    Endpoint(
        "openai-responses", "OpenAI", "https://api.openai.com/v1", ("OPENAI_API_KEY",), ("OPENAI_BASE_URL",),
        "gpt-5-mini", wire="responses", effort="openai", ids=r"[!-~]{1,64}",
    ),
    Endpoint(
        "anthropic", "Anthropic", "https://api.anthropic.com", ("ANTHROPIC_API_KEY",), ("ANTHROPIC_BASE_URL",),
        "claude-sonnet-5-5", wire="anthropic",
    ),
    Endpoint(
        "gemini", "Google Gemini", "https://generativelanguage.googleapis.com/v1beta",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"), model="gemini-flash-latest", wire="gemini", structured="tool",
    ),
    Endpoint(
        "groq", "Groq", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",), model="openai/gpt-oss-120b",
        structured="tool", limit="max_completion_tokens", effort="groq",
    ),
    Endpoint(
        "deepseek", "DeepSeek", "https://api.deepseek.com/v1", ("DEEPSEEK_API_KEY",), model="deepseek-flash",
        structured="prompt", reasoning="reasoning_content", unknown=" ", effort="deepseek",
        forced="unthinking",
    ),
    Endpoint(
        "openrouter", "OpenRouter", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",),
        model="openai/gpt-5-mini", structured="tool", details="reasoning_details", effort="openrouter",
        marked=("anthropic/", "~anthropic/"), fields={"usage": {"include": True}},
    ),
    Endpoint(
        "mistral", "Mistral", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",), model="mistral-medium-latest",
        structured="tool", effort="mistral", ids="[a-zA-Z0-9]{9}", counted=False, between="OK.",
    ),
    Endpoint(
        "moonshot", "Moonshot", "https://api.moonshot.ai/v1", ("MOONSHOT_API_KEY",), ("MOONSHOT_BASE_URL",),
        "kimi-k2.6", structured="prompt", reasoning="reasoning_content", unknown=" ", effort="moonshot",
        forced="no",
    ),
    Endpoint(
        "xai", "xAI", "https://api.x.ai/v1", ("XAI_API_KEY",), model="grok-4.3", effort="xai", apart=True,
    ),
    Endpoint(
        "ollama", "Ollama", "http://localhost:11434/v1", bases=("OLLAMA_HOST",), own_machine=True,
        structured="grammar", reasoning="reasoning", effort="plain",
    ),
)  # fmt: skip

# A server of the user's own, by `base_url` in the settings. It is sent ASSENT_API_KEY and never a vendor's key:
# settings come with a folder, which somebody else may have written.
CUSTOM = Endpoint("custom", "The model server", "", ("ASSENT_API_KEY",), structured="grammar", effort="plain")

_BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def find(name: str) -> Endpoint | None:
    """The row of a vendor, by its short name."""
    return _BY_NAME.get(name)


def asked(endpoint: Endpoint, model: str, base_url: str) -> Endpoint:
    """The row by which a model is asked: the vendor's other one where it was moved, if nobody stands in between."""
    pattern, name = endpoint.moved
    moved = pattern and base_url == endpoint.base_url and re.match(pattern, model)
    return _BY_NAME[name] if moved else endpoint


def key(endpoint: Endpoint, environ: Mapping[str, str] = os.environ) -> str:
    """The key for a vendor, "" where there is none."""
    return next((value for name in endpoint.keys if (value := environ.get(name, "").strip())), "")


def base_url(endpoint: Endpoint, environ: Mapping[str, str] = os.environ) -> str:
    """Where the vendor's environment variable says that it answers, "" where that is not set."""
    for name in endpoint.bases:
        if value := environ.get(name, "").strip():
            return _ollama(value) if name == "OLLAMA_HOST" else value.rstrip("/")
    return ""


def _ollama(host: str) -> str:
    """OLLAMA_HOST as Ollama reads it: scheme, host or port may each be missing, 0.0.0.0 means this machine."""
    scheme, _, rest = host.strip("\"' ").rpartition("://")
    authority, _, path = rest.partition("/")
    bare = authority.count(":") > 1 and "[" not in authority  # an IPv6 address
    authority = f"[{authority}]" if bare else authority
    server, _, port = authority.rpartition(":") if ":" in authority.rpartition("]")[2] else (authority, "", "")
    server = "127.0.0.1" if server in ("", "0.0.0.0", "[::]") else server
    standard = {"http": "80", "https": "443"}.get(scheme, "11434")
    port = port if port.isdecimal() and int(port) < 65536 else standard
    return f"{scheme or 'http'}://{server}:{port}/{path}".rstrip("/").removesuffix("/v1") + "/v1"
