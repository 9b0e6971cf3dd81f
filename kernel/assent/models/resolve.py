"""From a model's name to the model; and which one to take when nobody named one."""

import importlib.util
import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assent.core.config import Config
from assent.core.errors import ModelError, NoModel, NotFound
from assent.core.model import Model
from assent.models import endpoints, scripted, weights
from assent.models.endpoints import CUSTOM, ENDPOINTS, Endpoint
from assent.models.local import LocalModel

PROBE = 0.5  # seconds that a server on this machine or network gets to say that it is there

OLLAMA = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "ollama")


@dataclass(frozen=True, slots=True)
class Known:
    """A model that one could use. `kind` is "configured", "key", "server" or "local"; `why` says what is missing."""

    name: str
    kind: str
    ready: bool
    why: str = ""


def resolve(name: str, config: Config) -> Model:
    """The model of that name: `provider:model`, a provider alone, or any name where `base_url` is set."""
    provider, colon, model = name.partition(":")
    if provider == "scripted":
        return scripted.from_file(Path(model))
    if provider == "local":
        return _local(model)
    if config.base_url and (not colon or endpoints.find(provider) is None):
        return _chat(CUSTOM, name.removeprefix("custom:"), config.base_url)
    endpoint = endpoints.find(provider)
    if endpoint is None or not (model or not colon):
        raise NotFound(_unknown(name))
    return _chat(endpoint, model or endpoint.model or _first_served(endpoint), endpoints.base_url(endpoint))


def default_model(config: Config) -> str:
    """The name of the model to use: configured, else by a key, else a running Ollama, else the local one."""
    if config.model:
        return config.model
    if config.base_url:
        return f"custom:{_served(config.base_url, endpoints.key(CUSTOM))[0]}"
    for endpoint in ENDPOINTS:
        if endpoints.key(endpoint):
            return f"{endpoint.name}:{endpoint.model}"
    if names := _ollama_models():
        return f"ollama:{names[0]}"
    if importlib.util.find_spec("xllamacpp"):
        return f"local:{weights.DEFAULT}"
    raise NoModel(
        "There is no model to ask. Do one of these: set a key in the environment "
        f"({', '.join(name for endpoint in ENDPOINTS for name in endpoint.keys)}); start Ollama and pull a model; "
        "install the local model (`pip install xllamacpp`, then `assent fetch`); "
        "or name one with `%agent model NAME` or `model` in config.toml."
    )


def known_models(config: Config) -> list[Known]:
    """What could be used here, and what each still needs."""
    rows = [Known(config.model, "configured", True)] if config.model else []
    if config.base_url:
        rows += _server_rows("custom", config.base_url, endpoints.key(CUSTOM))
    for endpoint in ENDPOINTS:
        if endpoint.own_machine:
            rows += _server_rows(endpoint.name, endpoints.base_url(endpoint), "")
        else:
            ready = bool(endpoints.key(endpoint))
            why = "" if ready else f"set {' or '.join(endpoint.keys)}"
            rows.append(Known(f"{endpoint.name}:{endpoint.model}", "key", ready, why))
    return rows + [_local_row(row) for row in weights.TABLE]


def _local(name: str) -> Model:
    row = weights.find(name)
    if not importlib.util.find_spec("xllamacpp"):
        raise NoModel("The local model needs xllamacpp: `pip install xllamacpp`.")
    return LocalModel(row)


def _chat(endpoint: Endpoint, model: str, base_url: str) -> Model:
    key = endpoints.key(endpoint)
    if endpoint.keys and not key and base_url == endpoint.base_url:
        raise NoModel(f"{endpoint.title} needs a key: set {' or '.join(endpoint.keys)} in the environment.")
    from assent.models.remote import RemoteModel  # httpx and aiohttp take 0.1 s to import

    return RemoteModel(endpoint, model, base_url, key)


def _unknown(name: str) -> str:
    providers = ", ".join([*(endpoint.name for endpoint in ENDPOINTS), "local"])
    return (
        f"There is no model {name!r}. Write provider:model, with one of the providers {providers}; "
        "or set base_url to use a server of your own."
    )


def _local_row(row: weights.Weights) -> Known:
    name = f"local:{row.name}"
    if not importlib.util.find_spec("xllamacpp"):
        return Known(name, "local", False, "pip install xllamacpp")
    if weights.cached(row) is None:
        return Known(name, "local", False, f"assent fetch {row.name} ({row.size / 1e9:.1f} GB)")
    return Known(name, "local", True, row.note)


def _server_rows(provider: str, base_url: str, key: str) -> list[Known]:
    try:
        return [Known(f"{provider}:{name}", "server", True) for name in _served(base_url, key)]
    except ModelError as error:
        return [Known(f"{provider}:", "server", False, str(error))]


def _ollama_models() -> list[str]:
    try:
        return _served(endpoints.base_url(OLLAMA), "")
    except ModelError:
        return []


def _first_served(endpoint: Endpoint) -> str:
    return _served(endpoints.base_url(endpoint), endpoints.key(endpoint))[0]


def _served(base_url: str, key: str) -> list[str]:
    """The chat models that a server lists, at least one; `NoModel` where it is silent, refuses or has none."""
    place = base_url.rpartition("@")[2]
    try:
        listed = _get(f"{base_url.rstrip('/')}/models", key)
        names = [name for item in listed["data"] if "embed" not in (name := str(item["id"]))]
    except (OSError, HTTPException):
        raise NoModel(f"No model server answers at {place}: start it, or correct its address.") from None
    except (ValueError, LookupError, TypeError):
        raise NoModel(f"The server at {place} does not list its models: name one, as provider:model.") from None
    if not names:
        raise NoModel(f"The server at {place} has no model yet: pull or load one.")
    return names


def _get(url: str, key: str) -> Any:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PROBE)
    try:
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {key}"} if key else {})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
