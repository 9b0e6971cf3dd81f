"""`%config Assent`: what a person sets in the notebook goes over the environment and the workspace's config.toml."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from traitlets import Bool, Float, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from assent.core import config as configs
from assent.core.config import Config
from assent.core.errors import ConfigError
from assent.core.run_mode import tightest


class Assent(Configurable):
    """Settings of this notebook. What is left unset comes from the environment, then from config.toml."""

    model = Unicode(None, allow_none=True, help="The model, as provider:model.").tag(config=True)
    agent = Unicode(None, allow_none=True, help="The agent of a %%agent cell that names none.").tag(config=True)
    wait = Float(None, allow_none=True, help="Seconds to wait in the cell for a person.").tag(config=True)
    on_ask = Unicode(None, allow_none=True, help="wait, suspend or deny when a call needs a person.").tag(config=True)
    record = Unicode(None, allow_none=True, help="The file that runs are recorded into.").tag(config=True)
    replay = Unicode(None, allow_none=True, help="The recording that answers in place of models.").tag(config=True)
    mode = Unicode(None, allow_none=True, help="auto, strict or dry-run: of every run here.").tag(config=True)
    max_steps = Int(None, allow_none=True, help="The most model calls of a run.").tag(config=True)
    tenant = Unicode(None, allow_none=True, help="Whose workspace this is, where several share it.").tag(config=True)
    lineage = Bool(None, allow_none=True, help="Keep which cell wrote which variable.").tag(config=True)
    preview = Bool(None, allow_none=True, help="Show what a call would do before it is approved.").tag(config=True)
    preview_seconds = Float(None, allow_none=True, help="The most that a preview may take.").tag(config=True)
    sign = Bool(None, allow_none=True, help="Sign the record when a session ends.").tag(config=True)
    admin = Bool(None, allow_none=True, help="See what everybody has in the workspace.").tag(config=True)

    @validate("mode", "on_ask", "wait", "max_steps", "preview_seconds")
    def _makes_sense(self, proposal: Any) -> Any:
        """What a configuration would refuse is refused as it is set, and not by the next run."""
        name, value = proposal["trait"].name, proposal["value"]
        if value is not None:
            try:
                replace(Config(), **{name: value})
            except ConfigError as error:
                raise TraitError(str(error)) from None
        return value

    def effective(self, folder: Path) -> Config:
        """The configuration that holds now, for the workspace in `folder`."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.trait_names(config=True)}
        below = configs.load(folder)
        chosen = {name: value for name, value in values.items() if value is not None}
        return replace(below, **chosen | {"mode": tightest(below.mode, chosen.get("mode", ""))})
