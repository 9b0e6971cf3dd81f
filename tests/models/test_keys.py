"""Where keys come from, and where they never go."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring import get_keyring, set_keyring
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as EmptyKeyring
from keyring.errors import KeyringLocked
from tests.support.chat_server import chat_server, says
from tests.support.vendors import vendor

from assent.core.config import Config
from assent.core.errors import ConfigError, NoModel
from assent.core.secrets import hide
from assent.models import keys
from assent.models.endpoints import CUSTOM, ENDPOINTS
from assent.models.keys import Access, access, keyed, learn
from assent.models.resolve import resolve

NAMES = sorted({name for row in (*ENDPOINTS, CUSTOM) for name in row.keys})


class Ring(EmptyKeyring):
    """A keyring of one dictionary, which remembers what it was asked for."""

    def __init__(self, held: dict[str, str], before: Callable[[], object] = lambda: None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring is typed in part
        self.held = held
        self.before = before
        self.asked: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:  # type: ignore[override]  # as keyring documents it
        assert service == "assent"
        self.asked.append(username)
        self.before()
        return self.held.get(username)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An environment without keys, in an empty folder, with a keyring that has no backend."""
    for name in [name for row in (*ENDPOINTS, CUSTOM) for name in (*row.keys, *row.bases)]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ASSENT_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keys, "_from_keyring", {})
    before = get_keyring()
    set_keyring(NoKeyring())  # type: ignore[no-untyped-call]  # as above
    yield
    set_keyring(before)


def ring(before: Callable[[], object] = lambda: None, **held: str) -> Ring:
    made = Ring(held, before)
    set_keyring(made)
    return made


def env_file(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".env"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


# The order


def test_the_environment_comes_before_the_file_and_the_file_before_the_keyring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = ring(OPENAI_API_KEY="sk-of-the-keyring")
    assert (access(vendor("openai")).key, access(vendor("openai")).source) == ("sk-of-the-keyring", "the keyring")
    file = env_file(tmp_path, "OPENAI_API_KEY=sk-of-the-file")
    assert (access(vendor("openai")).key, access(vendor("openai")).source) == ("sk-of-the-file", str(file))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    assert (access(vendor("openai")).key, access(vendor("openai")).source) == (
        "sk-of-the-environment",
        "the environment",
    )
    assert held.asked == ["OPENAI_API_KEY"]


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_works_in_each_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    endpoint = next(row for row in (*ENDPOINTS, CUSTOM) if name in row.keys)
    env_file(tmp_path, f"{name}=sk-of-the-file")
    assert access(endpoint).key == "sk-of-the-file"
    monkeypatch.setenv(name, "sk-of-the-environment")
    assert access(endpoint).key == "sk-of-the-environment"


def test_the_variables_that_people_have_are_known() -> None:
    wanted = {"OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE", "GROQ", "DEEPSEEK", "MOONSHOT", "OPENROUTER", "MISTRAL", "XAI"}
    assert {f"{name}_API_KEY" for name in wanted} <= set(NAMES)
    assert {"OPENAI_BASE_URL", "OLLAMA_HOST"} <= {name for row in ENDPOINTS for name in row.bases}


def test_there_may_be_no_key_at_all() -> None:
    assert access(vendor("openai")) == Access("https://api.openai.com/v1")


# The file


def test_the_file_beside_the_workspace_comes_before_the_one_here(tmp_path: Path) -> None:
    env_file(tmp_path, "OPENAI_API_KEY=sk-of-here", "GROQ_API_KEY=gsk-of-here")
    there = env_file(tmp_path / "project", "OPENAI_API_KEY=sk-of-the-project")
    folder = tmp_path / "project" / ".assent"
    assert access(vendor("openai"), folder).source == str(there)
    assert access(vendor("groq"), folder).key == "gsk-of-here"
    assert access(vendor("openai")).key == "sk-of-here"


def test_a_workspace_above_has_its_file_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".assent").mkdir()
    env_file(tmp_path, "OPENAI_API_KEY=sk-from-above")
    inner = tmp_path / "notebooks"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert access(vendor("openai")).key == "sk-from-above"


def test_the_file_is_read_as_such_files_are_written(tmp_path: Path) -> None:
    env_file(tmp_path, "# keys", "export OPENAI_API_KEY='sk-quoted'  # mine", 'GROQ_API_KEY = "gsk-1"', "XAI_API_KEY=")
    assert [access(vendor(name)).key for name in ("openai", "groq", "xai")] == ["sk-quoted", "gsk-1", ""]


def test_the_environment_stays_as_it_is(tmp_path: Path) -> None:
    env_file(tmp_path, "OPENAI_API_KEY=sk-of-the-file", "HTTPS_PROXY=http://127.0.0.1:1")
    before = dict(os.environ)
    access(vendor("openai"))
    learn()
    assert dict(os.environ) == before


def test_a_changed_file_counts(tmp_path: Path) -> None:
    env_file(tmp_path, "OPENAI_API_KEY=sk-1")
    assert access(vendor("openai")).key == "sk-1"
    env_file(tmp_path, "OPENAI_API_KEY=sk-number-2")
    assert access(vendor("openai")).key == "sk-number-2"


def test_a_file_that_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.mkdir()
    assert access(vendor("openai")).key == ""
    file.rmdir()
    file.write_bytes(b"OPENAI_API_KEY=\xff\xfe\x00")
    assert access(vendor("openai")).key == ""
    os.unlink(file)
    os.mkfifo(file)
    assert access(vendor("openai")).key == ""
    os.unlink(file)
    file.write_text("OPENAI_API_KEY=sk-large\n" + "#" * keys.LARGEST)
    assert access(vendor("openai")).key == ""


def test_a_folder_that_is_gone_has_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert access(vendor("openai"), tmp_path / ".assent").key == ""


# What a folder must not do


def test_a_file_cannot_send_our_key_to_its_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with chat_server(lambda received: says("thank you")) as thief:
        env_file(tmp_path, f"OPENAI_BASE_URL={thief.url}", f"ANTHROPIC_BASE_URL={thief.url}")
        ring(ANTHROPIC_API_KEY="sk-ant-of-the-keyring")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
        for name in ("openai", "openai-responses", "anthropic"):
            with pytest.raises(ConfigError, match=r"\.env names an address for .* put .*_BASE_URL and .*_API_KEY in"):
                resolve(f"{name}:m", Config())
        assert thief.requests == []


def test_one_file_cannot_use_the_key_of_another(tmp_path: Path) -> None:
    env_file(tmp_path, "OPENAI_API_KEY=sk-of-here")
    env_file(tmp_path / "project", "OPENAI_BASE_URL=http://127.0.0.1:1/v1")
    with pytest.raises(ConfigError, match="project"):
        access(vendor("openai"), tmp_path / "project" / ".assent")


def test_a_file_cannot_write_our_key_into_its_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_THING", "of-the-environment")
    env_file(tmp_path, "OPENAI_API_KEY=sk-1", "OPENAI_BASE_URL=http://127.0.0.1:1/${SECRET_THING}/v1")
    assert access(vendor("openai")).base_url == "http://127.0.0.1:1/${SECRET_THING}/v1"


def test_a_file_with_a_key_of_its_own_says_where_it_goes(tmp_path: Path) -> None:
    env_file(tmp_path, "OPENAI_API_KEY=sk-1", "OPENAI_BASE_URL=http://gateway.example/v1/")
    assert access(vendor("openai")) == Access("http://gateway.example/v1", "sk-1", str(tmp_path / ".env"))


def test_the_environments_address_holds_for_any_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gateway.example/v1")
    assert access(vendor("openai")).base_url == "http://gateway.example/v1"
    env_file(tmp_path, "OPENAI_API_KEY=sk-1", "OPENAI_BASE_URL=http://other.example/v1")
    assert access(vendor("openai")) == Access("http://gateway.example/v1", "sk-1", str(tmp_path / ".env"))


def test_a_vendor_without_keys_may_be_anywhere(tmp_path: Path) -> None:
    env_file(tmp_path, "OLLAMA_HOST=gpu.lan")
    assert access(vendor("ollama")) == Access("http://gpu.lan:11434/v1")


def test_the_keyring_has_nothing_for_a_server_that_the_settings_name() -> None:
    held = ring(ASSENT_API_KEY="sk-own")
    assert access(CUSTOM).key == ""
    assert held.asked == []


# The keyring


def test_the_keyring_is_asked_once_for_each_name() -> None:
    held = ring(GROQ_API_KEY="gsk-1")
    for _ in range(3):
        assert [access(vendor(name)).key for name in ("openai", "groq")] == ["", "gsk-1"]
        assert next(keyed(ring=True)).name == "groq"
    assert sorted(held.asked) == sorted(set(held.asked))
    assert [row.name for row in keyed(ring=False)] == []


def test_a_keyring_that_fails_has_no_key() -> None:
    def locked() -> None:
        raise KeyringLocked("no")

    ring(locked, OPENAI_API_KEY="sk-1")
    assert access(vendor("openai")).key == ""
    with pytest.raises(NoModel, match="OpenAI needs a key"):
        resolve("openai", Config())


def test_a_keyring_that_waits_for_somebody_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.1)
    release = threading.Event()
    held = ring(lambda: release.wait(10), OPENAI_API_KEY="sk-1")
    began = time.monotonic()
    assert [row.name for row in keyed(ring=True)] == []
    assert time.monotonic() - began < 5
    assert len(held.asked) == 1  # and the other names are not waited for
    release.set()


def test_without_the_package_there_is_no_keyring() -> None:
    code = (
        "import sys; sys.modules['keyring'] = None\n"
        "from assent.models import keys, endpoints\n"
        "print(repr(keys.access(endpoints.ENDPOINTS[0]).key))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("''", "")


# Secrets


def test_a_key_is_known_for_a_secret_once_it_was_looked_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-looked-up-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:pass%40word-1@127.0.0.1:1/v1")
    env_file(tmp_path, "GOOGLE_API_KEY=goog-only-there-1")
    shown = repr(access(vendor("openai")))
    assert "sk-looked-up-1" not in shown
    assert hide("sk-looked-up-1 pass@word-1 pass%40word-1") == "[key] [key] [key]"
    assert hide("goog-only-there-1") == "goog-only-there-1"
    learn()
    assert hide("goog-only-there-1") == "[key]"
