"""Where policy comes from: two files and Python; a change is seen at once, and what cannot be read stops everything."""

import os
from pathlib import Path

import pytest

from assent.core.errors import ConfigError
from assent.policy import loader as loading
from assent.policy.document import from_values
from assent.policy.layers import NONE
from assent.policy.loader import Loader

ASK = '[[rule]]\ntool = "pay"\nmode = "ask"\n'


def lines(loader: Loader) -> list[str]:
    return [rule.entry.rule for rule in loader.layers().of("rule")]


def test_without_files_nothing_is_loaded(tmp_path: Path) -> None:
    assert Loader(tmp_path, {}).layers() is NONE


def test_the_organisation_stands_above_the_workspace_and_that_above_the_session(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(ASK)
    (tmp_path / "org.toml").write_text(f"\n{ASK}")
    loader = Loader(tmp_path, {"ASSENT_POLICY": str(tmp_path / "org.toml")})
    said = [from_values({"rule": [{"tool": "pay", "mode": "ask"}]}, "session", "session", first=n) for n in (1, 2)]
    loader.session = tuple(said)
    assert lines(loader) == ["organisation's policy.toml:2", "policy.toml:1", "session:1", "session:2"]


def test_nobody_names_another_file_in_the_place_of_the_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, own = tmp_path / "etc.toml", tmp_path / "own.toml"
    monkeypatch.setattr(loading, "ORGANISATION", str(machine))
    own.write_text("")
    loader = Loader(tmp_path / "w", {"ASSENT_POLICY": str(own)})
    assert lines(loader) == []
    machine.write_text(ASK)
    with pytest.raises(ConfigError, match="ASSENT_POLICY names another file in its place: unset it"):
        loader.layers()
    for environ in ({}, {"ASSENT_POLICY": str(machine)}):
        assert len(lines(Loader(tmp_path / "w", environ))) == 1


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(ASK)
    loader = Loader(tmp_path, {})
    first = loader.layers()
    with monkeypatch.context() as context:
        context.setattr(loading, "read", None)
        assert loader.layers() is first
    stat = file.stat()
    file.write_text(ASK.replace("pay", "buy"))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # an older time, the same size
    assert [rule.tool for rule in loader.layers().of("rule")] == ["buy"]
    file.unlink()
    assert loader.layers() is NONE


def test_a_broken_file_is_an_error_each_time_until_it_is_mended(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(ASK)
    loader = Loader(tmp_path, {})
    loader.layers()
    file.write_text(f"{ASK}mood = 1")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"policy\.toml:4: unknown key 'mood'"):
            loader.layers()
    file.write_text(ASK)
    assert lines(loader) == ["policy.toml:1"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[[rule]"])
def test_what_cannot_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "policy.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"policy\.toml"):
        Loader(tmp_path, {}).layers()


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        Loader(tmp_path, {}).layers()


def test_an_organisation_s_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no policy where .*org\.toml should be"):
        Loader(tmp_path, {"ASSENT_POLICY": str(tmp_path / "org.toml")}).layers()


def test_a_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").symlink_to(tmp_path / "share" / "policy.toml")
    with pytest.raises(ConfigError, match=r"There is no policy where .*policy\.toml should be"):
        Loader(tmp_path, {}).layers()


def test_the_organisation_s_file_is_where_it_was_when_the_session_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "org.toml").write_text(ASK)
    monkeypatch.chdir(tmp_path)
    loader = Loader(tmp_path / "w", {"ASSENT_POLICY": "org.toml"})
    monkeypatch.chdir("/")
    assert lines(loader) == ["organisation's policy.toml:1"]


def test_the_organisation_s_file_stays_the_one_that_was_named_first(tmp_path: Path) -> None:
    (tmp_path / "org.toml").write_text(ASK)
    environ = {"ASSENT_POLICY": str(tmp_path / "org.toml")}
    loader = Loader(tmp_path, environ)
    environ["ASSENT_POLICY"] = ""
    assert lines(loader) == ["organisation's policy.toml:1"]
