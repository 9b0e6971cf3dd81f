"""Settings: where they come from, which wins, and what a wrong one says."""

from pathlib import Path

import pytest

from assent.core import config
from assent.core.agent import Agent
from assent.core.config import Config
from assent.core.errors import ConfigError

VARIABLES = ("MODEL", "AGENT", "WAIT", "ON_ASK", "MAX_STEPS", "BASE_URL", "RECORD", "REPLAY", "WORKSPACE")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"ASSENT_{name}", raising=False)


def written(folder: Path, text: str) -> Path:
    (folder / "config.toml").write_text(text, "utf-8")
    return folder


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert config.load(tmp_path) == Config()


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, 'model = "maker:file"\nwait = 30\nmax_steps = 7\n[policy]\nsql = "ask"\n')
    monkeypatch.setenv("ASSENT_MODEL", "maker:environment")
    monkeypatch.setenv("ASSENT_WAIT", "1.5")
    loaded = config.load(tmp_path)
    assert loaded == Config(model="maker:environment", wait=1.5, max_steps=7, policy={"sql": "ask"})
    assert isinstance(loaded.max_steps, int)


def test_agents_come_from_the_file(tmp_path: Path) -> None:
    text = '[agents.cleaner]\ninstructions = "Clean."\ntools = ["sql"]\nmax_steps = 3\npolicy = {sql = "ask"}\n'
    [agent] = config.load(written(tmp_path, text)).agents
    assert agent == Agent(name="cleaner", instructions="Clean.", tools=("sql",), max_steps=3, policy={"sql": "ask"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle = 'x'", "Unknown setting modle in .*config.toml; there are model, agent"),
        ("wait = 'soon'", "wait in .*config.toml is 'soon'"),
        ("wait = true", "wait in .* is True"),
        ("wait = -1", "wait must not be negative"),
        ("wait = nan", "wait must not be negative"),
        ("max_steps = 0", "max_steps must be at least 1"),
        ("max_steps = 2.5", r"max_steps in .* is 2\.5; it must be a whole number"),
        ("model = 5", "model in .* is 5"),
        ("model = ['a']", "model in .* is "),
        ("on_ask = 'allow'", "on_ask is 'allow'; it must be wait, suspend or deny"),
        ("policy = 'ask'", "policy in .* is 'ask'"),
        ("[policy]\nsql = 'never'", "policy for 'sql' is 'never'; it must be one of auto, ask, disabled"),
        ("[policy]\nsql = 1", "policy for 'sql' is 1"),
        ("agents = 3", "agents in .* must be tables"),
        ("agents.ada = 3", "agents in .* must be tables"),
        ("[agents.ada]\ntool = ['sql']", "Unknown agent setting tool"),
        ("[agents.ada]\ntools = 'sql'", "tools must be list or tuple, not 'sql'"),
        ("[agents.ada]\nmax_steps = 'many'", "max_steps must be int, not 'many'"),
        ("[agents.ada]\nmax_steps = true", "max_steps must be int, not True"),
        ("[agents.ada]\ninstructions = 1", "instructions must be str, not 1"),
        ("[agents.ada]\npolicy = ['sql']", "policy must be Mapping"),
        ("[agents.ada]\ntool_timeout = nan", "tool_timeout above 0"),
        ("[agents.'two words']", "'two words' is no name for an agent"),
        ("model = ", "could not be read: .*Correct or remove it"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.load(written(tmp_path, text))


def test_a_file_that_is_no_text_or_no_file_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="could not be read"):
        config.load(tmp_path)
    (tmp_path / "config.toml").unlink()
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigError, match="could not be read"):
        config.load(tmp_path)


@pytest.mark.parametrize(("name", "value"), [("WAIT", "soon"), ("WAIT", ""), ("MAX_STEPS", "2.5"), ("ON_ASK", "allow")])
def test_a_wrong_variable_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ASSENT_{name}", value)
    with pytest.raises(ConfigError, match=name.lower()):
        config.load(tmp_path)


def test_the_workspace_is_the_nearest_one_upward(tmp_path: Path) -> None:
    here = tmp_path / "project" / "notebooks" / "deep"
    here.mkdir(parents=True)
    assert config.workspace_folder(here) == here / ".assent"
    (tmp_path / ".assent").mkdir()
    assert config.workspace_folder(here) == tmp_path / ".assent"
    (tmp_path / "project" / ".assent").mkdir()
    assert config.workspace_folder(here) == tmp_path / "project" / ".assent"
    (here / ".assent").write_text("a file is no workspace")
    assert config.workspace_folder(here) == tmp_path / "project" / ".assent"


def test_the_workspace_of_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".assent").mkdir()
    monkeypatch.setenv("ASSENT_WORKSPACE", str(tmp_path / "elsewhere"))
    assert config.workspace_folder(tmp_path) == tmp_path / "elsewhere"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ASSENT_WORKSPACE", "~/mine")
    assert config.workspace_folder(tmp_path) == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSENT_WORKSPACE")
    assert config.workspace_folder() == tmp_path / ".assent"


def test_a_recording_is_named_beside_the_workspace(tmp_path: Path) -> None:
    (tmp_path / ".assent").mkdir()
    folder = written(tmp_path / ".assent", 'record = "runs/answers.jsonl"\n')
    assert config.load(folder).record == str(tmp_path / "runs" / "answers.jsonl")
    for place in ("/elsewhere.jsonl", "../elsewhere.jsonl", "", "."):
        with pytest.raises(ConfigError, match="it must name a file in"):
            config.load(written(tmp_path / ".assent", f'record = "{place}"\n'))


def test_a_folder_cannot_say_what_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"replay cannot be set in .*: use ASSENT_REPLAY, or %agent record"):
        config.load(written(tmp_path, 'replay = "answers.jsonl"\n'))
    (tmp_path / "config.toml").unlink()
    monkeypatch.setenv("ASSENT_REPLAY", "answers.jsonl")
    assert config.load(tmp_path).replay == "answers.jsonl"
