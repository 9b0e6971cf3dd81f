"""The README: its Python runs in a stock kernel, its settings are settings, its commands and links lead somewhere."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from assent.core import config as configs
from assent.models.resolve import resolve
from assent.policy.decide import decide
from assent.policy.facts import Call, facts
from assent.policy.verdict import Deny

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").rglob("*.md")]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A block and what its cell showed, as plain text."""

    source: str
    text: str


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """Every Python block, run in order in one kernel, in a folder with the notebooks' data."""
    import nbclient
    import nbformat  # takes a second: not while tests are collected

    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "notebooks" / "data", folder / "notebooks" / "data")
    cells = [nbformat.v4.new_code_cell(source) for source in blocks("python")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    private = {
        "ASSENT_MODEL": f"scripted:{ROOT / 'tests' / 'readme.json'}",
        "ASSENT_WORKSPACE": f"{folder / '.assent'}",
    }
    client = nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=os.environ | private | {"IPYTHONDIR": str(folder / "ipython")})
    return [Shown(cell["source"], "\n".join(map(plain, cell["outputs"]))) for cell in notebook.cells]


def plain(output: dict[str, object]) -> str:
    data = output.get("data")
    return str(data["text/plain"] if isinstance(data, dict) else output["text"])


def shown(tour: list[Shown], words: str) -> str:
    """What the one block with these words showed."""
    (found,) = [block.text for block in tour if words in block.source]
    return found


@pytest.mark.kernel
@pytest.mark.timeout(60)
class TestTour:
    def test_a_question_is_answered_with_its_rows(self, tour: list[Shown]) -> None:
        text = shown(tour, "%%agent\nHow many penguins of each species")
        assert re.search(r"(?m)^\s*Chinstrap\s+68$", text)
        assert text.endswith("There are 152 Adelie, 68 Chinstrap and 124 Gentoo penguins.")

    def test_a_result_is_a_frame(self, tour: list[Shown]) -> None:
        assert "1     Biscoe     Gentoo       124" in shown(tour, "by_island = %agent ask")

    def test_an_answer_is_held_to_a_type(self, tour: list[Shown]) -> None:
        assert shown(tour, "--into census").endswith("Torgersen     52")

    def test_a_change_waits(self, tour: list[Shown]) -> None:
        assert "analyst · suspended" in shown(tour, "Add a column")
        assert "analyst wants to run python" in shown(tour, "%agent pending")

    def test_an_agent_of_ones_own_uses_a_tool_of_ones_own(self, tour: list[Shown]) -> None:
        assert "The agent keeper is ready" in shown(tour, "%agent new keeper")
        text = shown(tour, "%%agent keeper")
        assert "pounds · done · execute_safe" in text
        assert text.endswith("It weighs 13.89 pounds.")

    def test_a_session_in_python(self, tour: list[Shown]) -> None:
        assert shown(tour, "session.drain") == "'There are 152 Adelie, 68 Chinstrap and 124 Gentoo penguins.'"


def test_the_settings_are_settings(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    (tmp_path / "config.toml").write_text(block, "utf-8")
    config = configs.from_file(configs.Config(), tmp_path / "config.toml")
    assert resolve(config.model, config).name == config.model
    assert [agent.name for agent in config.agents] == ["keeper"]
    rules = facts({"python": "execute_risky"}, dict(config.policy))
    assert isinstance(decide(Call("python", {}), rules), Deny)


def test_the_commands_are_commands() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"make (\w+)", "\n".join(blocks("sh")))
    assert targets == ["demo", "lab"]
    assert all(f"\n{target}:" in makefile for target in targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []
