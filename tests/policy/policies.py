"""Policies of one or several layers, and the facts of a run under them."""

from collections.abc import Mapping
from typing import Any

from assent.policy.document import read
from assent.policy.entry import LAYERS
from assent.policy.facts import Facts, facts
from assent.policy.layers import NONE, Layers

PRIVILEGES = {"look": "read_only", "pay": "execute_safe", "mail_send": "execute_risky", "wipe": "admin"}


def layers(workspace: str = "", **others: str) -> Layers:
    """The layers of these texts, by layer; the workspace's if none is named."""
    texts = {"workspace": workspace, **others}
    found = [read(texts[layer], f"/{layer}.toml", layer) for layer in LAYERS if texts.get(layer)]
    return Layers(tuple(found)) if found else NONE


def ruled(workspace: str = "", *, policy: Mapping[str, str] = {}, **options: Any) -> Facts:
    """The facts of a run under such a policy; `organisation` and `session` are texts, too."""
    who = {"agent": "analyst", "user": "ana", "folder": "/project"} | {
        name: options.pop(name) for name in ("agent", "user", "folder") if name in options
    }
    modes = {name: policy.get(name, "auto") for name in PRIVILEGES}
    return facts(PRIVILEGES, modes, {}, layers(workspace, **options), **who)
