"""`%agent memory`: searching what is remembered, adding to it, forgetting, and seeing how much there is."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from assent.core.errors import ConfigError
from assent.core.taint import Sources, merged
from assent.memory.item import Hit, Item, origin
from assent.tools.by_hand import by_hand
from assent_magics import options
from assent_magics.desk import Desk
from assent_magics.interpolate import fill, filled
from assent_magics.tables import table

_USAGE = (
    '%agent memory search "…" finds, memory add "…" remembers, memory forget ID forgets; memory collections and '
    "memory status say what there is."
)
_SHOWN = 500  # signs of a text in a table


def memory(desk: Desk, rest: str) -> Any:
    """What fits some words, as a table; one item more or less; or what there is."""
    verb, _, line = rest.strip().partition(" ")
    match verb:
        case "search":
            return _search(desk, line)
        case "add":
            return _add(desk, line)
        case "forget":
            return _forget(desk, line)
        case "collections" if not line.strip():
            return _collections(desk)
        case "status" if not line.strip():
            return table([asdict(desk.session.memory.status())])
        case "collections" | "status":
            raise ConfigError(f"Nothing may follow memory {verb}, not {line.strip()!r}.")
        case "":
            raise ConfigError(f"Say what to do with it: {_USAGE}")
    raise ConfigError(f"{verb!r} is nothing that can be done with memory. {_USAGE}")


def _search(desk: Desk, line: str) -> Any:
    words, given = options.split(line, options.MEMORY_SEARCH)
    query = fill(" ".join(words), desk.namespace)
    if not query.strip():
        raise ConfigError('There is nothing to look for: %agent memory search "fiscal year".')
    own = desk.session.journal.access.user
    if given.get("user", own) != own and own is not None:
        raise ConfigError(
            f"This session sees only what is {own}'s, not {given['user']}'s. An administrator's session "
            "(ASSENT_ADMIN=1) sees everybody's."
        )
    count, tags = given.pop("k", 10), given.pop("tag", ())
    hits = desk.session.memory.search(query, count, tags=tags, **given)
    desk.session.carried.shown(merged(*[hit.taint for hit in hits]))
    if not hits:
        print("Nothing that is remembered has these words.")
        return None
    return _table(hits)


def _add(desk: Desk, line: str) -> None:
    words, given = options.split(line, options.MEMORY_ADD)
    by_hand("To remember by %agent memory add is a person's to do: agents have the tool memory_add")
    text, names = filled(" ".join(words), desk.namespace)
    if not text.strip():
        raise ConfigError('There is nothing to remember: %agent memory add "The fiscal year begins in April."')
    agent = given.pop("agent", None)
    if agent is not None:
        desk.session.agent(agent)
    item = Item(text=text, tags=given.pop("tag", ()), taint=_carried(desk, names), **given)
    scope = desk.session.journal.scope(agent=agent, notebook=desk.session.journal.access.notebook)
    [name] = desk.session.memory.add([item], scope)
    print(f"Remembered as {name}. %agent memory forget {name} takes it back.")


def _carried(desk: Desk, names: Sequence[str]) -> Sources:
    """What the variables carry that a text was made of; memory is recalled for all models, so none is local only."""
    if local := desk.session.local_only(names):
        raise ConfigError(
            f"`{local[0]}` is local only, and what is remembered may be sent to remote models: nothing was kept. "
            "%agent local_only lists what is."
        )
    return merged(*[desk.session.carried.variable(name) for name in names])


def _forget(desk: Desk, line: str) -> Any:
    words, given = options.split(fill(line, desk.namespace), options.MEMORY_FORGET)
    if not words:
        raise ConfigError("Say what to forget: %agent memory forget ID. %agent memory search lists ids.")
    hits = [desk.session.memory.named(word) for word in words]
    if "yes" not in given:
        ids = " ".join([hit.id for hit in hits])
        print(f"Nothing is forgotten yet. %agent memory forget {ids} --yes forgets this for good:")
        return _table(hits).drop(columns="score")
    many = desk.session.memory.forget([hit.id for hit in hits], desk.session.user)
    print(f"{many} forgotten: no search finds {'it' if many == 1 else 'them'} any more.")
    return None


def _collections(desk: Desk) -> Any:
    found = desk.session.memory.collections()
    if not found:
        print(f"Nothing is remembered yet. {_USAGE}")
        return None
    return table(
        [
            {
                "collection": item.name, "items": item.items, "sources": item.sources,
                "latest (UTC)": item.latest.replace(microsecond=0),
            }
            for item in found
        ]
    )  # fmt: skip


def _table(hits: Sequence[Hit]) -> Any:
    return table(
        [
            {
                "id": hit.id, "score": round(hit.score, 3), "text": _short(hit.text), "kind": hit.kind,
                "collection": hit.collection, "from": origin(hit), "tags": ", ".join(hit.tags), "dated": hit.dated,
                "remembered (UTC)": hit.time.replace(microsecond=0), "agent": hit.agent or "", "user": hit.user,
            }
            for hit in hits
        ]
    )  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
