"""A path lies in a folder only where it really does, links and all."""

from pathlib import Path

import pytest

from assent.policy.path import within


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path.resolve() / "project"
    (made / "data" / "inner").mkdir(parents=True)
    (made / "secret").mkdir()
    (made / "data" / "out").symlink_to(made / "secret")
    (made / "data" / "in").symlink_to("inner")
    (made / "database").mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data", True),
        ("data/new.csv", True),
        ("./data//x/../y.csv", True),
        ("data/in/x.csv", True),
        ("data/../secret/x", False),
        ("data/../../etc/passwd", False),
        ("data/out/x.csv", False),
        ("data/missing/../../secret", False),
        ("database/x.csv", False),
        ("/etc/passwd", False),
        ("x.csv", False),
        ("Data/x.csv", None),
        ("", None),
        ("~/x", None),
        ("data/$HOME", None),
        ("file:data/x", None),
        ("https://x/data", None),
        ("data/\0x", None),
    ],
)
def test_a_folder_of_the_project(project: Path, path: str, expected: bool | None) -> None:
    assert within(path, "data/", str(project)) is expected


def test_an_accent_that_is_spelt_in_another_way_is_not_certain(project: Path) -> None:
    assert within("donne\u0301es/x", "donn\u00e9es", str(project)) is None


def test_an_absolute_path_may_lie_within(project: Path) -> None:
    assert within(str(project / "data" / "x"), "data", str(project)) is True
    assert within(str(project / "data" / "out" / "x"), "data", str(project)) is False


def test_a_path_begins_where_the_process_is_and_a_folder_at_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "secret")
    assert within("data/x", "data", str(project)) is False
    assert within("../data/x", "data", str(project)) is True


def test_a_folder_that_is_a_link_is_where_it_leads(project: Path) -> None:
    assert within("secret/x", "data/out", str(project)) is True


def test_the_root_holds_everything(project: Path) -> None:
    assert within("x", "/", str(project)) is True
