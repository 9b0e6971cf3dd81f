"""From a model's name to the model; and which one to take when nobody named one."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from assent.core.config import Config
from assent.core.errors import AssentError, ConfigError, NoModel, NotFound
from assent.core.model import Model
from assent.core.model_settings import settings_of
from assent.core.secrets import alone, remember
from assent.models import endpoints, keys, scripted
from assent.models.endpoints import CUSTOM, ENDPOINTS, Endpoint
from assent.models.keys import Access
from assent.models.local import engine, weights
from assent.models.local.model import LocalModel
from assent.models.served import lately, served

_INSIDE = ("scripted", "local")
OLLAMA = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "ollama")


def resolve(name: str, config: Config, folder: Path | None = None) -> Model:
    """The model of that name: `provider:model`, a provider alone, or any name where `base_url` is set.

    `folder` is the workspace's, beside which a `.env` with keys may lie.
    """
    keys.learn(folder)
    provider, _, rest = name.partition(":")
    if provider == "scripted":
        return scripted.from_file(Path(rest))
    if provider == "local":
        return _local(rest)
    endpoint, model = meant(name, config)
    if endpoint is CUSTOM:
        access = custom(config, folder)
        return _remote(endpoint, model or served(access)[0], access, config)
    if endpoint is None or (not model and ":" in name):
        raise NotFound(unknown(name))
    access = keys.access(endpoint, folder)
    if missing := missing_key(endpoint, access):
        raise NoModel(f"{endpoint.title} needs a key: set {missing} in the environment, in .env or in the keyring.")
    return _remote(endpoint, model or endpoint.model or served(access)[0], access, config)


def reached(name: str, config: Config, folder: Path | None = None) -> Access | None:
    """How the model of that name would be reached now; None for one in this process, or a name of nothing."""
    endpoint, _ = meant(name, config)
    if endpoint is CUSTOM:
        return custom(config, folder)
    return None if endpoint is None else keys.access(endpoint, folder)


def meant(name: str, config: Config) -> tuple[Endpoint | None, str]:
    """The vendor that a name means and what the model is called there; None for one in this process, or of nothing.

    With a `base_url` every name that begins with no provider means a model of the server there.
    """
    provider, colon, model = name.partition(":")
    if provider in _INSIDE:
        return None, model
    endpoint = endpoints.find(provider)
    if config.base_url and (not colon or endpoint is None):
        return CUSTOM, "" if name == CUSTOM.name else name.removeprefix("custom:")
    return endpoint, model


def check_tables(config: Config, given: Iterable[str] = ()) -> None:
    """`ConfigError` where settings are for a provider that is none; `given` are names of models that there are too."""
    known = ["default", *(endpoint.name for endpoint in ENDPOINTS), CUSTOM.name, *_INSIDE]
    providers = {*known, *(name.partition(":")[0] for name in given)}
    for name in config.models:
        if name.partition(":")[0] not in providers:
            raise ConfigError(
                f"The settings of {name!r} are for no provider that there is: begin the table's name with one of "
                f"{', '.join(known)}."
            )


def missing_key(endpoint: Endpoint, access: Access) -> str:
    """The variables of which one must hold the vendor's key and none does; "" where none is needed."""
    needed = endpoint.keys and not access.key and access.base_url == endpoint.base_url
    return " or ".join(endpoint.keys) if needed else ""


def default_model(config: Config, folder: Path | None = None) -> str:
    """The name of the model to use: configured, else by a key, else a running Ollama, else the local one."""
    if config.model:
        return config.model
    if config.base_url:
        return f"custom:{lately(custom(config, folder))[0]}"
    if endpoint := next(keys.keyed(folder, ring=False), None) or next(keys.keyed(folder, ring=True), None):
        return f"{endpoint.name}:{endpoint.model}"
    if names := _ollama_models(folder):
        return f"ollama:{names[0]}"
    if engine.installed():
        return f"local:{weights.DEFAULT}"
    raise NoModel(
        "There is no model to ask. Do one of these: set a key in the environment or in .env "
        f"({', '.join(dict.fromkeys(name for endpoint in ENDPOINTS for name in endpoint.keys))}); "
        "start Ollama and pull a model; install the local model (`pip install xllamacpp`, then `assent fetch`); "
        "or name one with `%agent model NAME` or `model` in config.toml."
    )


def custom(config: Config, folder: Path | None = None) -> Access:
    """How the server of the settings is reached."""
    found = keys.access(CUSTOM, folder)
    remember(*keys.passwords(config.base_url))
    return replace(found, base_url=config.base_url)


def _local(name: str) -> Model:
    row = weights.find(name)
    if not engine.installed():
        raise NoModel(engine.MISSING)
    return LocalModel(row)


def _remote(endpoint: Endpoint, model: str, access: Access, config: Config) -> Model:
    from assent.models.remote import RemoteModel  # httpx and aiohttp take 0.1 s to import

    silence = settings_of(f"{endpoint.name}:{model}", config.models).silence
    try:
        return RemoteModel(endpoint, model, access.base_url, access.key, silence)
    except AssentError as error:
        raise alone(error) from None


def _ollama_models(folder: Path | None) -> list[str]:
    try:
        return lately(keys.access(OLLAMA, folder))
    except NoModel:
        return []


def unknown(name: str) -> str:
    """What to say of a name that means no model."""
    providers = ", ".join([*(endpoint.name for endpoint in ENDPOINTS), "local"])
    return (
        f"There is no model {name!r}. Write provider:model, with one of the providers {providers}; "
        "or set base_url to use a server of your own."
    )
