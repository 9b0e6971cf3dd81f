"""Settings: from `config.toml` in the workspace, then the environment, then whoever asks in the notebook."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from assent.core import retention
from assent.core.agent import Agent
from assent.core.agent import from_json as agent_from_json
from assent.core.commands import OnAsk
from assent.core.errors import ConfigError
from assent.core.model_settings import Tables
from assent.core.model_settings import check as checked_models
from assent.core.privilege import check_modes
from assent.core.run_mode import check_run_mode, tightest

FOLDER = ".assent"
_CALLED = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", dict: "a table"}
_WORDS = {"1": True, "true": True, "yes": True, "": False, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. `wait` is in seconds; `on_ask` "" chooses by what the front end can do.

    `mode` is that of every run, as `core.run_mode` names it: who sets it later, or for one run, can only tighten it.
    A session sees what `tenant` and its user have in the workspace; with `admin`, everybody's.
    `lineage`: the journal keeps which cell wrote which variable.
    `preview`: whoever is asked about a call sees what it would do, if that can be found out in `preview_seconds`.
    `sign`: the journal's head is signed when a session ends, before a backup and an export, if there is a key.
    `record` is a file that runs are recorded into, `replay` one that they are answered from; then none is recorded.
    `models` holds what `core.model_settings` reads, by "default", provider or `provider:model`, and `retention` what
    `core.retention` reads.
    """

    model: str = ""
    agent: str = "analyst"
    wait: float = 600.0
    on_ask: str = ""
    max_steps: int = 20
    mode: str = "auto"
    policy: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""
    record: str = ""
    replay: str = ""
    tenant: str = "default"
    admin: bool = False
    lineage: bool = True
    preview: bool = True
    preview_seconds: float = 1.5
    sign: bool = False
    agents: tuple[Agent, ...] = ()
    models: Tables = field(default_factory=dict)
    retention: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.on_ask not in ("", *get_args(OnAsk)):
            raise ConfigError(f"on_ask is {self.on_ask!r}; it must be wait, suspend or deny.")
        if not self.preview_seconds > 0:
            raise ConfigError("preview_seconds must be more than 0; preview = false makes no previews.")
        if not self.wait >= 0 or self.max_steps < 1:
            raise ConfigError("wait must not be negative and max_steps must be at least 1.")
        check_modes(self.policy)
        check_run_mode(self.mode)
        retention.read(self.retention)


def workspace_folder(start: Path | None = None) -> Path:
    """ASSENT_WORKSPACE, else the nearest `.assent` at or above `start`, else `.assent` in `start`."""
    if named := os.environ.get("ASSENT_WORKSPACE"):
        return Path(named).expanduser().absolute()
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return here / FOLDER


def load(folder: Path) -> Config:
    """The configuration of a workspace: defaults, then its `config.toml`, then ASSENT_* in the environment."""
    return from_environment(from_file(Config(), folder / "config.toml"))


def from_file(config: Config, path: Path) -> Config:
    """`config` with the settings of a TOML file over it; a missing file changes nothing."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # opening the workspace says what is wrong with it
        return config
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} could not be read: {error}. Correct or remove it.") from None
    if "replay" in values:  # it may approve calls, and a folder may be somebody else's
        raise ConfigError(f"replay cannot be set in {path}: use ASSENT_REPLAY, or %agent record --replay FILE.")
    if "admin" in values:  # nor is it a workspace's to say who may look at all of it
        raise ConfigError(f"admin cannot be set in {path}: use ASSENT_ADMIN, or %config Assent.admin = True.")
    if isinstance(record := values.get("record"), str):
        values["record"] = str(_below(path.parent.parent, record, path))
    tables = {
        "agents": _agents(values.get("agents", {}), path),
        "models": checked_models(values.get("models", {}), str(path)),
    }
    return _merged(config, values | tables, str(path))


def from_environment(config: Config, environ: Mapping[str, str] = os.environ) -> Config:
    """`config` with ASSENT_MODEL, _AGENT, _WAIT and the others of `names` in capitals over it."""
    names = (
        "model", "agent", "wait", "on_ask", "max_steps", "mode", "base_url", "record", "replay", "tenant", "admin",
        "lineage", "preview", "preview_seconds", "sign",
    )  # fmt: skip
    values = {name: environ[key] for name in names if (key := f"ASSENT_{name.upper()}") in environ}
    return _merged(config, values, "the environment")


def _below(folder: Path, file: str, source: Path) -> Path:
    """A file that a workspace may name, which may be somebody else's: one beside it, or further down."""
    found = (folder / file).resolve()
    if not file or folder.resolve() not in found.parents:
        raise ConfigError(f"record in {source} is {file!r}; it must name a file in {folder}, where the workspace is.")
    return found


def _agents(tables: Any, path: Path) -> tuple[Agent, ...]:
    if not isinstance(tables, dict) or not all(isinstance(settings, dict) for settings in tables.values()):
        raise ConfigError(f"agents in {path} must be tables: write [agents.NAME] and the settings below it.")
    return tuple([agent_from_json({"name": name, **settings}) for name, settings in tables.items()])


def _merged(config: Config, values: Mapping[str, Any], source: str) -> Config:
    kinds = {item.name: type(getattr(Config(), item.name)) for item in fields(Config)}
    if unknown := set(values) - set(kinds):
        raise ConfigError(f"Unknown setting {', '.join(sorted(unknown))} in {source}; there are {', '.join(kinds)}.")
    typed = {name: _typed(name, value, kinds[name], source) for name, value in values.items()}
    return replace(config, **typed | {"mode": tightest(config.mode, typed.get("mode", ""))})


def _typed(name: str, value: Any, kind: type, source: str) -> Any:
    if type(value) is kind:
        return value
    if kind is bool and isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if kind in (int, float) and isinstance(value, str | int) and not isinstance(value, bool):
        try:
            return kind(value)  # the environment knows text only
        except ValueError:
            pass
    raise ConfigError(f"{name} in {source} is {value!r}; it must be {_CALLED.get(kind, kind.__name__)}.")
