"""The models of one session: by name, with their wrappers, as the settings want them."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from assent.core.config import Config
from assent.core.model import Model
from assent.core.model_settings import ModelSettings, settings_of
from assent.models import endpoints
from assent.models.endpoints import CUSTOM
from assent.models.keys import Access
from assent.models.resolve import check_tables, reached, resolve
from assent.models.wrappers.wrap import guard_of, guarded, wrapped

CACHE = "cache"  # in the workspace's folder
FRESH = 1.0  # seconds that a name means the same model without a look at `.env`, which takes longer than the rest
Key = tuple[str, Access | None, float]


class Registry:
    """Holds models, and their connections until `aclose`. All runs that ask a model by its name share its limits.

    `config` gives the settings that hold now: a model is made anew for settings of its own that were not there before,
    and a run keeps the one that it began with. `models` are known by their names from the start. `spent` is what
    `Limiter` wants to know of the model of a name.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        folder: Path,
        models: Sequence[Model] = (),
        spent: Callable[[str], Iterable[tuple[float, Decimal | None]]] = lambda name: (),
    ) -> None:
        self._config = config
        self._folder = folder
        self._given = {model.name: model for model in models}
        self._spent = spent
        self._lock = threading.RLock()
        self._names: dict[str, str] = {}  # what users write, and the whole name that it means
        self._plain: dict[Key, Model] = {}
        self._guarded: dict[tuple[int, ModelSettings], Model] = {}
        self._wrapped: dict[tuple[int, ModelSettings], Model] = {}
        self._latest: dict[str, tuple[Config, list[str | None], float, Model]] = {}

    def model(self, name: str) -> Model:
        """The model of that name with all its wrappers; errors as `resolve` raises them."""
        config, environ, now = self._config(), _environment(name), time.monotonic()
        latest = self._latest.get(name)
        if latest is None or latest[0] is not config or latest[1] != environ or now > latest[2]:
            latest = self._latest[name] = (config, environ, now + FRESH, self._made(name))
        return latest[3]

    async def aclose(self) -> None:
        """Close the models' connections."""
        for model in [*self._given.values(), *self._plain.values()]:
            if hasattr(model, "aclose"):
                await model.aclose()

    def _made(self, name: str) -> Model:
        with self._lock:
            check_tables(self._config(), self._given)
            plain, settings = self._found(name)
            key = (id(plain), settings)
            if key not in self._wrapped:
                place = getattr(plain, "place", "")
                inner = self._with_guard(plain, settings)
                self._wrapped[key] = wrapped(inner, settings, self._stand_in, self._folder / CACHE, place)
            return self._wrapped[key]

    def _stand_in(self, name: str) -> Model:
        """A model for others to fall back to: with its own limits, circuits and retries, and no more."""
        with self._lock:
            return self._with_guard(*self._found(name))

    def _with_guard(self, plain: Model, settings: ModelSettings) -> Model:
        key = (id(plain), guard_of(settings))
        if key not in self._guarded:
            self._guarded[key] = guarded(plain, key[1], lambda: self._spent(plain.name))
        return self._guarded[key]

    def _found(self, name: str) -> tuple[Model, ModelSettings]:
        """The bare model of a name, one for each silence that it may keep, and its settings."""
        config = self._config()
        if (model := self._given.get(name)) is None:
            model = self._plain.get(self._key(self._names.get(name, name), config))
        if model is None:
            model = resolve(name, config, self._folder)
            self._names[name] = model.name
            model = self._plain.setdefault(self._key(model.name, config), model)
        return model, settings_of(model.name, config.models)

    def _key(self, name: str, config: Config) -> Key:
        """With another key or address it is another model: somebody may have set a right one after a wrong one."""
        return name, reached(name, config, self._folder), settings_of(name, config.models).silence


def _environment(name: str) -> list[str | None]:
    """What the environment says of the keys and addresses that the model of that name is reached with."""
    endpoint = endpoints.find(name.partition(":")[0]) or CUSTOM
    return [os.environ.get(variable) for variable in (*endpoint.keys, *endpoint.bases)]
