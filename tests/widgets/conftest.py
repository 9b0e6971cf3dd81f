import pytest
from tests.widgets.front_end import FrontEnd


@pytest.fixture
def front_end() -> FrontEnd:
    return FrontEnd()
