"""People and their passphrases: listed outside every workspace, proved by nothing but the passphrase."""

from pathlib import Path

import pytest

from assent.core import people
from assent.core.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    people.enrol("ana", "correct horse", file=tmp_path / "of" / "people.json")
    return tmp_path / "of" / "people.json"


def test_only_the_passphrase_of_that_person_proves(file: Path) -> None:
    people.enrol("ben", "battery staple", file=file)
    assert people.proves("ana", "correct horse", file)
    for name, passphrase in [
        ("ana", "battery staple"),
        ("ben", "correct horse"),
        ("ana", ""),
        ("eve", "correct horse"),
    ]:
        assert not people.proves(name, passphrase, file)
    assert people.names(file) == ["ana", "ben"]


def test_nothing_that_is_kept_holds_the_passphrase_and_only_its_owner_may_read_it(file: Path) -> None:
    assert "correct" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_two_people_of_one_passphrase_look_different(file: Path) -> None:
    people.enrol("ben", "correct horse", file=file)
    assert len({line for line in file.read_text().splitlines() if "digest" in line}) == 2


def test_another_passphrase_takes_the_one_before(file: Path) -> None:
    with pytest.raises(ConfigError, match="listed already"):
        people.enrol("ana", "a new passphrase", "a guess", file)
    assert people.proves("ana", "correct horse", file)
    people.enrol("ana", "a new passphrase", "correct horse", file)
    assert people.proves("ana", "a new passphrase", file)
    assert not people.proves("ana", "correct horse", file)


@pytest.mark.parametrize(
    ("name", "passphrase", "says"), [("", "correct horse", "no name"), ("eve", "short", "8 characters")]
)
def test_what_makes_no_sense_is_refused(file: Path, name: str, passphrase: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        people.enrol(name, passphrase, file=file)
    assert people.names(file) == ["ana"]


@pytest.mark.parametrize("text", ["", "[]", '{"ana": 1}', '{"ana": {"salt": "zz", "digest": ""}}'])
def test_a_list_that_cannot_be_read_proves_nothing(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match="could not be read"):
        people.proves("ana", "correct horse", file)


def test_the_machines_list_goes_before_the_one_that_a_variable_names(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "MACHINE", tmp_path / "machine.json")
    monkeypatch.setenv("ASSENT_PEOPLE", str(file))
    assert people.path() == file
    (tmp_path / "machine.json").write_text("{}")
    assert people.path() == tmp_path / "machine.json"
    assert not people.proves("ana", "correct horse")
    (tmp_path / "machine.json").unlink()
    monkeypatch.delenv("ASSENT_PEOPLE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert people.path() == tmp_path / "assent" / "people.json"
