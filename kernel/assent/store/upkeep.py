"""What may be done to an open database between two commits, by name, so that another process can ask for it."""

from collections.abc import Callable, Mapping
from typing import Any

from assent.store.snapshot import snapshot
from assent.store.swap import swap

# Each takes the open database (`snapshot.Opened`) and values that can be pickled, and gives one.
ACTS: Mapping[str, Callable[..., Any]] = {"snapshot": snapshot, "swap": swap}
