"""A path lies in a folder only where it really does, links and all."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.policy.path import Ground, within


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
    assert within(path, "data/", Ground(str(project))) is expected


def test_an_accent_that_is_spelt_in_another_way_is_not_certain(project: Path) -> None:
    assert within("donne\u0301es/x", "donn\u00e9es", Ground(str(project))) is None


def test_an_absolute_path_may_lie_within(project: Path) -> None:
    assert within(str(project / "data" / "x"), "data", Ground(str(project))) is True
    assert within(str(project / "data" / "out" / "x"), "data", Ground(str(project))) is False


def test_a_path_begins_where_the_process_is_and_a_folder_at_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "secret")
    assert within("data/x", "data", Ground(str(project))) is False
    assert within("../data/x", "data", Ground(str(project))) is True


def test_a_folder_that_is_a_link_is_where_it_leads(project: Path) -> None:
    assert within("secret/x", "data/out", Ground(str(project))) is True


def test_the_root_holds_everything(project: Path) -> None:
    assert within("x", "/", Ground(str(project))) is True


def test_a_link_that_changes_between_two_decisions_is_followed_anew(project: Path) -> None:
    link = project / "data" / "in"
    assert within("data/in/x.csv", "data", Ground(str(project))) is True
    link.unlink()
    link.symlink_to(project / "secret")
    assert within("data/in/x.csv", "data", Ground(str(project))) is False


def test_a_link_that_leads_to_itself_is_not_certain(project: Path) -> None:
    (project / "data" / "loop").symlink_to("loop")
    assert within("data/loop", "data", Ground(str(project))) is None


def test_a_folder_above_that_is_a_link_is_followed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = project.parent / "other"
    other.symlink_to(project)
    ground = Ground(str(other))
    assert within(str(other / "data" / "x"), "data", ground) is True
    assert within("data/x", "data", ground) is True
    monkeypatch.chdir("/")
    assert within(str(project / "data" / "x"), "data", Ground(str(other))) is True


def test_nothing_is_looked_at_twice_in_one_decision(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    readlink = os.readlink

    def watched(path: str) -> str:
        looked.append(path)
        return readlink(path)

    monkeypatch.setattr(os, "readlink", watched)
    ground = Ground(str(project))
    for folder in ("data", "secret", "data/inner"):
        within("data/in/x.csv", folder, ground)
    assert [os.path.relpath(path, project) for path in looked] == [
        "data", "data/in", "data/inner", "data/inner/x.csv", "secret",
    ]  # fmt: skip


def test_a_folder_of_many_rules_is_followed_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[str] = []
    walk = Ground._walk

    def watched(self: Ground, base: str, rest: str) -> str:
        walked.append(rest)
        return walk(self, base, rest)

    monkeypatch.setattr(Ground, "_walk", watched)
    ground = Ground(str(project))
    assert {within("data/in/x.csv", folder, ground) for folder in ["data", "secret"] * 100} == {True, False}
    assert len(walked) == 4  # the project, the path, and two folders


NAMES = st.sampled_from(["a", "b", "c", "..", ".", ""])
PATHS = st.lists(NAMES, min_size=1, max_size=6).map("/".join)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("links").resolve()


@given(data=st.data())
def test_links_are_followed_as_the_system_follows_them(root: Path, data: st.DataObject) -> None:
    top = Path(tempfile.mkdtemp(dir=root))
    folders = [top, top / "a", top / "a" / "b"]
    folders[-1].mkdir(parents=True)
    places = [top / "b", top / "c", top / "a" / "c", top / "a" / "b" / "b", top / "a" / "b" / "c"]
    for place in data.draw(st.lists(st.sampled_from(places), unique=True)):
        leads = data.draw(PATHS.filter(bool))
        place.symlink_to(leads if data.draw(st.booleans()) else f"{top}/{leads}")
    ground = Ground(str(top))
    for path in data.draw(st.lists(PATHS, min_size=1, max_size=4)):
        whole = f"{top}/{path}"
        try:
            real = ground.real(whole)
        except OSError:
            with pytest.raises(OSError, match=r"No such file|Too many levels"):  # nor could it be opened
                os.stat(whole)
        else:
            assert real == os.path.realpath(whole)
