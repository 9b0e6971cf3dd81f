"""The rows of vendors, for tests that name them."""

from assent.models.endpoints import Endpoint, find


def vendor(name: str) -> Endpoint:
    row = find(name)
    assert row is not None
    return row
