"""The models that one could use here: what each needs and costs, and whether its server answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from assent.core.config import Config
from assent.core.errors import AssentError, NotFound
from assent.models import keys
from assent.models.endpoints import CUSTOM, ENDPOINTS, Endpoint
from assent.models.keys import Access
from assent.models.listing import Found, ask
from assent.models.local import engine, weights
from assent.models.prices import per_million
from assent.models.resolve import check_tables, custom, meant, missing_key, unknown


@dataclass(frozen=True, slots=True)
class Known:
    """A model that one could use. `kind` is "configured", "key", "server" or "local"; `needs` says what is missing.

    `reachable` is None where nobody asked. Prices are US dollars for a million tokens, None where nobody can say.
    """

    name: str
    kind: str
    ready: bool
    reachable: bool | None = None
    input: Decimal | None = None
    output: Decimal | None = None
    needs: str = ""


def known_models(config: Config, folder: Path | None = None, named: Iterable[str] = ()) -> list[Known]:
    """What could be used here, what the settings and `named` mention first. Takes `listing.LIMIT` seconds at most."""
    keys.learn(folder)
    check_tables(config, named)
    servers: list[tuple[Endpoint, Access | Found]] = [(item, _reached(item, folder)) for item in ENDPOINTS]
    if config.base_url:
        servers.insert(0, (CUSTOM, custom(config, folder)))
    wanting = {endpoint.name: at for endpoint, at in servers if isinstance(at, Found)}
    found = wanting | ask([(endpoint, at) for endpoint, at in servers if isinstance(at, Access)])
    rows = [_configured(name, config, found) for name in _mentioned(config, named)]
    for endpoint, _ in servers:
        rows += _offered(endpoint, found[endpoint.name])
    rows += [_local(row, "local") for row in weights.TABLE]
    first = {row.name: row for row in reversed(rows)}
    return [_priced(row) for row in dict.fromkeys(first[row.name] for row in rows)]


def _mentioned(config: Config, named: Iterable[str]) -> list[str]:
    """Every model that the settings name, once, in the order in which they come to bear."""
    agents = [agent.model for agent in config.agents]
    tables = [name for name in config.models if ":" in name]
    fallbacks = [name for table in config.models.values() for name in table.get("fallback", ())]
    return [name for name in dict.fromkeys([config.model, *named, *agents, *tables, *fallbacks]) if name]


def _configured(name: str, config: Config, found: Mapping[str, Found]) -> Known:
    provider, _, rest = name.partition(":")
    if provider == "scripted":
        there = Path(rest).is_file()
        return Known(name, "configured", there, needs="" if there else f"the file {rest}")
    if provider == "local":
        try:
            return replace(_local(weights.find(rest), "configured"), name=name)
        except NotFound as error:
            return Known(name, "configured", False, needs=str(error))
    endpoint, model = meant(name, config)
    if endpoint is None:
        return Known(name, "configured", False, needs=unknown(name))
    server = found[endpoint.name]
    needs = server.needs or _unlisted(model, server)
    return Known(name, "configured", server.ready, server.reachable, needs=needs)


def _unlisted(model: str, server: Found) -> str:
    """A remark where a server's list has neither the model nor a version of it."""
    listed = not model or not server.names or any(name.startswith(model) for name in server.names)
    return "" if listed else f"a look at the name: it is not among the {len(server.names)} models listed there"


def _offered(endpoint: Endpoint, server: Found) -> Iterator[Known]:
    if endpoint.model:
        name = f"{endpoint.name}:{endpoint.model}"
        yield Known(name, "key", server.ready, server.reachable, needs=server.needs)
        return
    names = [name for name in server.names if "embed" not in name] or [""]
    for name in names:
        needs = server.needs or ("" if name else "a model: pull or load one, or name it as provider:model")
        yield Known(f"{endpoint.name}:{name}", "server", server.ready and bool(name), server.reachable, needs=needs)


def _local(row: weights.Weights, kind: str) -> Known:
    name = f"local:{row.name}"
    if not engine.installed():
        return Known(name, kind, False, needs="pip install xllamacpp")
    if weights.cached(row) is None:
        return Known(name, kind, False, needs=f"assent fetch {row.name} ({row.size / 1e9:.1f} GB)")
    return Known(name, kind, True)


def _priced(row: Known) -> Known:
    into, out = per_million(row.name)
    return replace(row, input=into, output=out)


def _reached(endpoint: Endpoint, folder: Path | None) -> Access | Found:
    """How to reach a vendor; or what is missing, where asking it makes no sense."""
    try:
        access = keys.access(endpoint, folder)
    except AssentError as error:
        return Found(False, needs=str(error))
    if missing := missing_key(endpoint, access):
        return Found(False, needs=f"set {missing}")
    return access
