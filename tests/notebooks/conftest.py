"""The quickstart notebook, executed once by the scripted model."""

from pathlib import Path

import pytest
from tests.notebooks.execution import copy_notebooks, environment, run


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executed copy; its workspace is `.assent` beside it."""
    folder = tmp_path_factory.mktemp("quickstart")
    notebook = copy_notebooks(folder)
    run("assent", ["run", notebook, "--output", notebook], environment(folder), folder)
    return notebook
