"""The documents say what the code is: the reference whole, the rest where it lists something."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from tests.support.sessions import opened

from assent.core.config import load
from assent.core.events import Kind
from assent.core.model_settings import settings_of
from assent.models.endpoints import ENDPOINTS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text("utf-8")


def test_the_reference_is_the_codes() -> None:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    written = (DOCS / "reference.md").read_text("utf-8")
    assert written == reference.page(), "Run `python docs/reference.py` and look at what changed."


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_floors_are_those_that_are_checked(page: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert "```text\n{}\n```".format("\n".join(layers)) in (ROOT / page).read_text("utf-8")


def section(title: str) -> str:
    """A chapter of the architecture."""
    return ARCHITECTURE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_room_is_described() -> None:
    folders = {f"assent.{path.parent.name}" for path in (ROOT / "kernel" / "assent").glob("*/__init__.py")}
    described = set(re.findall(r"^\| `([\w.]+)` \|", section("Rooms"), re.MULTILINE))
    files = {"assent.app", "assent.catalog", "assent.opening", "assent.work"}
    assert described == folders | files | {"assent_magics", "assent_widgets"}


def test_every_event_is_described() -> None:
    rows = re.findall(r"^\| (`.*?`) \|", section("Events"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {kind.value for kind in Kind}


def test_every_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in ("CONTRIBUTING.md", "CHANGELOG.md", "README.md"):
        named = set(re.findall(r"\bmake (\w+)`", (ROOT / page).read_text("utf-8")))
        assert named <= targets


MODELS = (DOCS / "models.md").read_text("utf-8")


def test_the_models_page_names_every_provider_and_key() -> None:
    for row in ENDPOINTS:
        assert f"`{row.name}`" in MODELS
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OLLAMA_HOST"):
        assert any(key in (*row.keys, *row.bases) for row in ENDPOINTS)
        assert key in MODELS


def test_the_settings_on_the_models_page_are_settings(tmp_path: Path) -> None:
    (settings,) = re.findall(r"^```toml\n(.*?)^```", MODELS, re.MULTILINE | re.DOTALL)
    (tmp_path / "config.toml").write_text(settings)
    tables = load(tmp_path).models
    mini = settings_of("openai:gpt-5-mini", tables)
    assert (mini.attempts, mini.tier, mini.requests_per_minute, mini.dollars_per_hour) == (4, "mid", 500, 5.0)
    assert settings_of("groq:openai/gpt-oss-120b", tables).cache == 86400
    for name in mini.fallback:
        assert name.partition(":")[0] in {"local", *(row.name for row in ENDPOINTS)}


def test_the_query_on_the_models_page_reads(tmp_path: Path) -> None:
    (query,) = re.findall(r"^```sql\n(.*?)^```", MODELS, re.MULTILINE | re.DOTALL)
    with opened(tmp_path, "done") as session:
        assert list(session.sql(query).columns) == ["time", "run", "model", "incident", "reason", "seconds"]
