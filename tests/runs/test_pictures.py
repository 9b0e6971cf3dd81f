"""Pictures for the model: from wherever they come, kept as payloads, shown to the model, there after a resume."""

import base64
import struct
from pathlib import Path
from typing import Any

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed

from assent.core.errors import ConfigError
from assent.core.messages import Image, Text
from assent.core.model import Request
from assent.runs import pictures
from assent.tools.tool import tool

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GIF = b"GIF89a" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WEBP = b"RIFF" + struct.pack("<I", 20) + b"WEBPVP8 " + bytes(12)


@tool(privilege="execute_risky")
def risk() -> str:
    return "done"


class Figure:
    """As matplotlib's."""

    def savefig(self, file: Any, format: str) -> None:
        assert format == "png"
        file.write(PNG)


class Axes:
    figure = Figure()


class Photo:
    """As PIL's."""

    def save(self, file: Any, format: str) -> None:
        assert format == "PNG"
        file.write(PNG)


class Shown:
    """As IPython's."""

    data = JPEG


class Broken:
    def savefig(self, file: Any, format: str) -> None:
        raise RuntimeError("no canvas")


class Viewer:
    """A turn of a script that notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> str:
        self.asked.append(request)
        return "A dot."


def seen(request: Request) -> list[Image]:
    return [part for message in request.messages for part in message.parts if isinstance(part, Image)]


def test_the_model_sees_the_pictures_before_the_words(tmp_path: Path) -> None:
    viewer = Viewer()
    file = tmp_path / "plot.png"
    file.write_bytes(PNG)
    with opened(tmp_path / "w", viewer) as session:
        result = ran(session, prompt="What is it?", images=[file, JPEG])
        assert result.text == "A dot."
        body = session.journal.events(result.run)[0].body
    parts = viewer.asked[0].messages[1].parts
    assert [type(part) for part in parts] == [Image, Image, Text]
    assert [(part.media_type, part.data) for part in seen(viewer.asked[0])] == [
        ("image/png", PNG),
        ("image/jpeg", JPEG),
    ]
    assert body["images"] == [{"media_type": part.media_type, "digest": part.digest} for part in seen(viewer.asked[0])]


@pytest.mark.parametrize(
    ("source", "media_type", "data"),
    [
        (PNG, "image/png", PNG),
        (bytearray(GIF), "image/gif", GIF),
        (memoryview(WEBP), "image/webp", WEBP),
        (Figure(), "image/png", PNG),
        (Axes(), "image/png", PNG),
        (Photo(), "image/png", PNG),
        (Shown(), "image/jpeg", JPEG),
        ("figure", "image/png", PNG),
        ("path", "image/gif", GIF),
        ("pic.gif", "image/gif", GIF),
    ],
)
def test_a_picture_may_be_many_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Any, media_type: str, data: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pic.gif").write_bytes(GIF)
    viewer = Viewer()
    names = {"figure": Figure(), "path": tmp_path / "pic.gif"}
    with opened(tmp_path / "w", viewer, namespace=names) as session:
        ran(session, images=source)
    assert [(part.media_type, part.data) for part in seen(viewer.asked[0])] == [(media_type, data)]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "is none that a model can see: use PNG, JPEG, GIF or WebP"),
        (b"<svg/>", "is none that a model can see"),
        ("missing.png", "The image 'missing.png' cannot be read: No such file"),
        (Path("."), "cannot be read: Is a directory"),
        ("notes.txt", "The image 'notes.txt' is none that a model can see"),
        ("a\0b", "is no name for a file"),
        ("number", "A int is no image: give a file, bytes or a figure."),
        (Broken(), "The Broken could not be drawn: no canvas."),
        (PNG + bytes(pictures.LIMIT), "The image has 20 MB, and 20 MB is the most"),
        ("large.png", "The image 'large.png' has 21 MB, and 20 MB is the most"),
    ],
)
def test_what_is_no_picture_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Any, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("words")
    with Path("large.png").open("wb") as file:
        file.truncate(21_000_000)
    with opened(tmp_path / "w", "Yes.", namespace={"number": 5}) as session:
        with pytest.raises(ConfigError) as error:
            ran(session, images=[source])
        assert said in str(error.value)
        assert len(session.sql("SELECT * FROM runs")) == 0


def test_a_resumed_run_still_has_them(tmp_path: Path) -> None:
    viewer = Viewer()
    with opened(tmp_path, [call("risk")], "", tools=(risk,)) as session:
        result = ran(session, "risk", images=[PNG, GIF])
        approve(session, result.pending[0].call)
        assert session.journal.verify() > 0
    with opened(tmp_path, "", viewer, tools=(risk,)) as session:
        assert resumed(session, result.run).status == "finished"
    assert [part.data for part in seen(viewer.asked[0])] == [PNG, GIF]


@pytest.mark.parametrize(("damage", "said"), [(None, "is missing"), (b"other", "was changed on disk")])
def test_a_picture_that_is_lost_fails_the_run_until_it_is_back(tmp_path: Path, damage: bytes | None, said: str) -> None:
    with opened(tmp_path, [call("risk")], "Yes.", tools=(risk,)) as session:
        result = ran(session, "risk", images=[PNG])
        approve(session, result.pending[0].call)
        digest = session.journal.events(result.run)[0].body["images"][0]["digest"]
        blob = tmp_path / "blobs" / digest[:2] / digest[2:]
        blob.unlink()
        if damage:
            blob.write_bytes(damage)
        failed = resumed(session, result.run)
        assert failed.status == "failed"
        assert said in failed.reason
        assert failed.reason.endswith("Put it back, then resume the run.")
        blob.write_bytes(PNG)
        assert resumed(session, result.run).text == "Yes."
