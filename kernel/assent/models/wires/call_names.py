"""Names by which models called tools, made acceptable to vendors: some write names that no tool can have."""

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def callable_as(name: str, pattern: str) -> str:
    """The name itself where it matches `pattern`, else one like it that does.

    Such a call came to nothing but an error, and still the vendor would refuse every request that repeats it.
    """
    if re.fullmatch(pattern, name):
        return name
    return "_" + re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:63]
