"""The installed kernelspec: this interpreter's, complete, and replaced by a second install."""

import json
import sys
from pathlib import Path

import pytest

from assent.core.errors import ConfigError
from assent.jupyter.install import install, pinned, source


def test_a_prefix_gets_the_whole_folder(tmp_path: Path) -> None:
    folder = install(prefix=str(tmp_path))
    assert folder == tmp_path / "share" / "jupyter" / "kernels" / "assent"
    assert {file.name for file in folder.iterdir()} == {file.name for file in source().iterdir()}
    assert json.loads((folder / "kernel.json").read_text())["argv"][0] == sys.executable


def test_the_user_folder_follows_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert install(user=True) == tmp_path / "kernels" / "assent"


def test_a_second_install_replaces_the_first(tmp_path: Path) -> None:
    spec = install(prefix=str(tmp_path)) / "kernel.json"
    spec.write_text("{}")
    install(prefix=str(tmp_path))
    assert json.loads(spec.read_text())["display_name"] == "Assent"


def test_only_the_interpreter_is_changed() -> None:
    spec: dict[str, object] = {"argv": ["python", "-m", "assent.jupyter"], "language": "python"}
    assert pinned(spec) == {"argv": [sys.executable, "-m", "assent.jupyter"], "language": "python"}


def test_a_damaged_kernelspec_is_one_clear_sentence() -> None:
    with pytest.raises(ConfigError, match="Install the package again"):
        pinned({"argv": "python"})


def test_the_one_that_ships_names_no_path() -> None:
    argv = json.loads((source() / "kernel.json").read_text())["argv"]
    assert argv == ["python", "-m", "assent.jupyter", "-f", "{connection_file}"]
