"""Where something is to be masked, pandas cuts no cell of what it shows: that could be half of it."""

import contextlib
import sys
from collections.abc import Iterator

from assent.core.cut import is_looked_out

_WIDTH = "display.max_colwidth"  # pandas' option


@contextlib.contextmanager
def uncut() -> Iterator[None]:
    """Within this, if anything is looked out for (`core.cut`), tables are shown with whole cells."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not is_looked_out():
        yield
        return
    before = pandas.get_option(_WIDTH)
    pandas.set_option(_WIDTH, None)
    try:
        yield
    finally:
        if pandas.get_option(_WIDTH) is None:  # else the code has set it itself
            pandas.set_option(_WIDTH, before)
