"""A table of what a command tells, whose sentences are shown whole: pandas cuts a text after 50 signs."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any


def table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A DataFrame of these rows; what is made of it is a usual one."""
    return _whole()(rows)


@functools.cache
def _whole() -> Any:
    import pandas  # takes 0.3 s to import: not before there is a table to show

    class Table(pandas.DataFrame):
        """Shows texts whole, as HTML and in plain text."""

        def _repr_html_(self) -> str | None:
            with pandas.option_context("display.max_colwidth", None, "display.max_columns", None):
                return super()._repr_html_()  # type: ignore[misc, no-any-return]  # pandas' stubs do not know it

        def __repr__(self) -> str:
            with pandas.option_context("display.max_colwidth", None, "display.max_columns", None):
                return super().__repr__()

    return Table
