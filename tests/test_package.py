"""The distribution: a light import, a pinned public face, a wheel that holds what it should and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import assent

ROOT = Path(__file__).parents[1]
HEAVY = {"pydantic", "duckdb", "pandas", "httpx", "IPython", "ipykernel", "anywidget", "ipywidgets", "asyncio", "jwt"}
FACE = [
    "Agent",
    "AssentError",
    "Decide",
    "ForkRun",
    "Output",
    "PauseRun",
    "Proposal",
    "ResumeRun",
    "Session",
    "StartRun",
    "StopRun",
    "idempotency_key",
    "local_only",
    "mask",
    "tool",
]
ROOMS = {"assent", "assent_magics", "assent_widgets"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from this tree with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-index", "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=60)
    return zipfile.ZipFile(next(folder.glob("assent-*.whl")))


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import sys, assent; print(*(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "assent" in loaded
    assert loaded & HEAVY == set()


def test_the_public_face() -> None:
    assert assent.__all__ == FACE
    for name in FACE:
        assert getattr(assent, name).__name__ == name
    assert set(FACE) < set(dir(assent))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'agent'"):
        assert assent.agent


def test_the_wheel_holds_the_packages_and_nothing_else_at_the_top(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if ".dist-info" not in top and ".data" not in top} == ROOMS


def test_the_wheel_installs_the_kernelspec(wheel: zipfile.ZipFile) -> None:
    folder = f"assent-{assent.__version__}.data/data/share/jupyter/kernels/assent"
    files = {f"{folder}/{file.name}" for file in (ROOT / "kernel" / "kernelspec").iterdir()}
    assert f"{folder}/kernel.json" in files
    assert files <= set(wheel.namelist())


@pytest.mark.parametrize("kind", ["js", "css"])
def test_the_wheel_holds_what_the_widgets_need(wheel: zipfile.ZipFile, kind: str) -> None:
    source = ROOT / "widgets"
    files = {file.relative_to(source).as_posix() for file in source.rglob(f"*.{kind}")}
    assert files
    assert files <= set(wheel.namelist())


def test_the_wheel_is_typed_and_licensed(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "assent/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_lock_names_no_index_and_no_path() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    for word in ("://", "--index", "--extra", "--find-links", "file:", "\nassent=="):
        assert word not in lock
