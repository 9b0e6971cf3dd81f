"""A server that misbehaves: no run hangs, each fails with one clear sentence, and goes on once the server behaves."""

import asyncio
import gc
import gzip
import json
import re
import socket
import ssl
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.support.chat_server import DONE, chunk, event, says
from tests.support.faults import (
    Behaviour,
    Exchange,
    FaultyServer,
    answers,
    chunked,
    endless,
    faulty,
    head,
    silent,
    whole,
)
from tests.support.hearing import heard
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core import messages
from assent.core.agent import Agent
from assent.core.commands import ResumeRun, StartRun
from assent.core.config import Config
from assent.core.errors import ModelError
from assent.core.events import Event, Kind, Progress
from assent.core.model import Request
from assent.models import http, remote, sse
from assent.models.endpoints import CUSTOM
from assent.models.remote import RemoteModel

pytestmark = pytest.mark.slow

KEY = "sk-test-0123456789abcdef"
SILENCE = 0.3  # seconds
CONFIG = Config(models={"default": {"attempts": 1}})
STREAMED = {"Transfer_Encoding": "chunked"}
HALF = chunk({"content": "Half an ans"})
PAGE = b"<html><h1>Welcome</h1></html>"


def stream(text: str = "All is well.") -> bytes:
    return b"".join(says(text).pieces)


def error(message: str) -> bytes:
    return json.dumps({"error": {"message": message}}).encode()


def json_of(value: Any) -> bytes:
    return whole(json.dumps(value).encode(), kind="application/json")


WELL = answers(whole(stream()))


def bad_chunk_later(exchange: Exchange) -> None:
    exchange.send(head(**STREAMED) + chunked([HALF]))
    exchange.seen.wait(10)
    exchange.send(b"zz\r\n")
    exchange.gone()


def dribbled_head(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not exchange.left.wait(0.05):
        exchange.send(b"x")


def reset_at_once(exchange: Exchange) -> None:
    exchange.reset()


def reset_later(exchange: Exchange) -> None:
    exchange.send(head(**STREAMED) + chunked([HALF]))
    exchange.seen.wait(10)
    exchange.reset()


half_character = chunk({"content": "é"})
half_character = half_character[: half_character.index("é".encode()) + 1]
packed = gzip.compress(stream("All is well. " * 99))
GZIP = {"Content_Encoding": "gzip"}

FAULTS: dict[str, tuple[Behaviour, str]] = {
    "closed without an answer": (answers(), "closed the connection without an answer: run again"),
    "half a head": (answers(b"HTTP/1.1 200 OK\r\nContent-Ty"), "closed the connection without an answer"),
    "reset without an answer": (reset_at_once, "closed the connection without an answer"),
    "never answers": (silent(), r"sent nothing for 0\.3 seconds: run again"),
    "a head without end": (dribbled_head, r"sent nothing for 0\.3 seconds: run again"),
    "not HTTP": (answers(b"SSH-2.0-OpenSSH_9.6\r\n"), "other than a model's answer at .*: check the base URL"),
    "a giant head": (answers(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99_999), "other than a model's answer"),
    "cut": (answers(head(**STREAMED), chunked([HALF])), "broke off in the middle of its answer: run again"),
    "cut without framing": (answers(head(), HALF), "broke off in the middle of its answer"),
    "cut within an event": (answers(head(), HALF, HALF[:20]), r"broke off its answer or garbled it \(.*\): run again"),
    "cut within the first event": (answers(head(), HALF[:20]), "broke off its answer or garbled"),
    "reset in mid-stream": (reset_later, "broke off in the middle"),
    "silent in mid-stream": (silent(head(**STREAMED), chunked([HALF])), r"sent nothing for 0\.3 seconds"),
    "comments for ever": (endless(head(**STREAMED), b": ping\n\n"), r"signs of life only.* for 0\.9 seconds: run"),
    "empty events for ever": (endless(head(**STREAMED), chunk({"content": ""})), "signs of life only"),
    "blanks for ever": (endless(head(kind="application/json", **STREAMED), b"\n"), "signs of life only"),
    "a length too long": (answers(head(Content_Length=9999) + HALF), "broke off in the middle"),
    "a length too short": (answers(head(Content_Length=len(HALF) - 9) + HALF), "broke off|other than a model's"),
    "a chunk without size": (answers(head(**STREAMED), chunked([HALF]), b"zz\r\n"), "broke off|other than|nothing for"),
    "a chunk without size, later": (bad_chunk_later, "sent nothing for|broke off"),
    "no JSON": (answers(whole(HALF + b"data: {]\n\n" + DONE)), r"garbled it \(what came is no JSON\)"),
    "a number without end": (answers(whole(HALF + b"data: " + b"9" * 9999 + b"\n\n")), "garbled"),
    "brackets without end": (answers(whole(HALF + b"data: " + b"[" * 99_999 + b"\n\n")), "garbled"),
    "half a character": (answers(whole(HALF + half_character)), "garbled"),
    "half a character, ended": (answers(whole(HALF + half_character + b'"}}]}\n\n' + DONE)), "garbled"),
    "another shape": (answers(json_of({"detail": "Not Found"})), "without anything in it: .* check the base URL"),
    "another type": (answers(json_of([1])), "other than a model's answer"),
    "no choices": (answers(json_of({"choices": []})), "without anything in it: run again"),
    "no choices, streamed": (answers(whole(chunk() + DONE)), "without anything in it"),
    "only the end": (answers(whole(DONE)), "without anything in it"),
    "nothing": (answers(whole(b"")), "other than a model's answer"),
    "a page": (answers(whole(PAGE, kind="text/html")), "other than a model's answer at .*: check the base URL"),
    "a page as a stream": (answers(whole(PAGE)), "other than a model's answer"),
    "500": (answers(whole(error("boom"), "500 X", "application/json")), r"fault of its own \(HTTP 500: boom\): run ag"),
    "502": (answers(whole(PAGE, "502 Bad Gateway", "text/html")), r"fault of its own \(HTTP 502\): run again later"),
    "529": (answers(whole(error("overloaded"), "529 X", "application/json")), r"HTTP 529: overloaded\): run again"),
    "429": (answers(whole(error("slow"), "429 X", "application/json")), r"\(HTTP 429: slow\): run again later"),
    "429 for seconds": (answers(whole(b"", "429 X", Retry_After=7)), r"\(HTTP 429\): run again in 7 s"),
    "429, cut": (answers(head("429 X", Content_Length=99, Retry_After=7) + b"slow"), r"\(HTTP 429\): run again in 7 s"),
    "a redirect": (answers(whole(b"", "307 X", Location="http://127.0.0.1:1/v2")), "redirects elsewhere .*base URL"),
    "an error in mid-stream": (answers(whole(HALF + event({"error": {"message": "boom"}}))), "broke off.*boom"),
    "an error after the end": (answers(whole(HALF + chunk({}, "stop") + event({"error": "boom"}))), "broke off.*boom"),
    "gzip, cut": (answers(head(**GZIP), packed[: len(packed) // 2]), "broke off"),
    "gzip that is none": (answers(whole(stream(), **GZIP)), "garbled it .its compression cannot be undone"),
    "brotli": (answers(whole(b"\x0b\x02\x80hi\x03", Content_Encoding="br")), "in the encoding 'br', which was not"),
    "gzip in gzip": (answers(whole(gzip.compress(packed), Content_Encoding="gzip, gzip")), "'gzip, gzip'"),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_a_run_fails_clearly_and_goes_on_once_the_server_behaves(fault: Behaviour, said: str, tmp_path: Path) -> None:
    with faulty(fault, WELL) as server:
        reason, text = asyncio.run(fail_and_resume(tmp_path, server, server.url))
    assert re.search(said, reason), reason
    assert text == "All is well."


async def fail_and_resume(folder: Path, server: FaultyServer, url: str, well: str = "") -> tuple[str, str]:
    """Why a run failed, and its answer once it was resumed, at `well` if the server moved."""
    began = time.monotonic()
    async with opened(folder, url) as session:
        run, reason = await failed(session, server)
        assert time.monotonic() - began < 4
    async with opened(folder, well or url, 10) as session:
        result = await session.drain(ResumeRun(run))
        assert result.status == "finished", result.reason
        kinds = [item.kind for item in session.journal.events(run)]
        assert kinds.count(Kind.MODEL_FAILED) == 1
        assert KEY not in str(session.journal.events(run))
    assert "\n" not in reason
    assert reason.startswith("The model server ")
    return reason, result.text


def opened(folder: Path, url: str, silence: float = SILENCE) -> Session:
    return Session(prepare(folder), config=CONFIG, models=[RemoteModel(CUSTOM, "m", url, KEY, silence)])


async def failed(session: Session, server: FaultyServer) -> tuple[str, str]:
    """A run that fails, and why."""
    async for item in session.submit(StartRun("Go.", Agent(tools=()))):
        if isinstance(item, Progress):
            server.seen.set()
        elif isinstance(item, Event) and item.kind is Kind.RUN_FAILED:
            assert item.run is not None
            return item.run, item.body["error"]
    raise AssertionError("the run did not fail")


ASK = Request([messages.user("How many?")])


def asked(url: str, request: Request = ASK, silence: float = 10) -> list[Any]:
    return heard(RemoteModel(CUSTOM, "m", url, KEY, silence), request)


def refusal(url: str, request: Request = ASK) -> ModelError:
    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        asked(url, request, SILENCE)
    assert time.monotonic() - began < 4
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def bytewise(exchange: Exchange) -> None:
    exchange.bytewise(head(**STREAMED) + chunked([stream()]) + b"0\r\n\r\n")


def test_slow_bytes_are_an_answer() -> None:
    with faulty(bytewise) as server:
        assert asked(server.url)[-1].message.text == "All is well."


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_answers_are_read(pack: Any) -> None:
    coding = "gzip" if pack is gzip.compress else "deflate"
    packed = pack(stream("All is well. " * 99))
    with faulty(answers(head(Content_Encoding=coding, Content_Length=len(packed)), packed[:50], packed[50:])) as server:
        assert asked(server.url)[-1].message.text == "All is well. " * 99
        assert b"accept-encoding: gzip, deflate\r\n" in server.requests[0].lower()


def test_what_is_cut_after_the_end_of_the_answer_is_not_missed() -> None:
    ended = chunk({"content": "All is well."}) + chunk({}, "stop")
    for fault in (answers(head(**STREAMED) + chunked([ended])), silent(head(**STREAMED) + chunked([ended]))):
        with faulty(fault) as server:
            answer = asked(server.url, silence=SILENCE)[-1]
            assert (answer.message.text, answer.usage.output) == ("All is well.", None)


def test_a_server_that_never_ends_a_complete_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "ENDING", 0.2)
    ended = chunk({"content": "All is well."}) + chunk({}, "stop")
    with faulty(endless(head(**STREAMED) + chunked([ended]), b": ping\n\n")) as server:
        assert asked(server.url)[-1].message.text == "All is well."
    for fault in (silent, lambda begun: endless(begun, b": ping\n\n")):
        with faulty(fault(head(**STREAMED) + chunked([ended + DONE]))) as server:
            began = time.monotonic()
            assert asked(server.url)[-1].message.text == "All is well."
            assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        (answers(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n"), r"\(its proxy answers HTTP 407\)"),
        (answers(), "closed the connection without an answer"),
    ],
)
def test_a_proxy_that_refuses(proxy: Behaviour, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty(proxy) as server:
        monkeypatch.setenv("https_proxy", server.origin)
        assert re.search(said, str(refusal("https://models.invalid/v1")))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert "(its proxy: connection refused)" in str(refusal("https://models.invalid/v1"))


@pytest.mark.parametrize("proxy", ["http://u:pass/word@proxy:1", "http://proxy:port", "gopher://u:word@proxy:1"])
def test_a_proxy_that_is_none_is_one_clear_error_without_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    error = refusal("https://models.invalid/v1")
    assert "(its proxy in the environment is no URL)" in str(error)
    assert not error.retryable
    assert "word" not in repr(error.__cause__) + repr(error.__context__)


def test_a_connection_that_was_closed_while_the_program_was_busy_is_opened_again() -> None:
    async def run(server: FaultyServer) -> list[str]:
        model = RemoteModel(CUSTOM, "m", server.url, KEY)
        texts = []
        for _ in range(3):
            items: list[Any] = [item async for item in model.stream(ASK)]
            texts.append(items[-1].message.text)
            server.closed.wait(5)  # the event loop does not get to know
            server.closed.clear()
        await model.aclose()
        return texts

    with faulty(WELL) as server:
        assert asyncio.run(run(server)) == ["All is well."] * 3
        assert (server.connections, len(server.requests)) == (3, 3)


def test_a_server_that_hangs_up_on_a_request_is_asked_once_more_at_most() -> None:
    async def run(server: FaultyServer) -> None:
        model = RemoteModel(CUSTOM, "m", server.url, KEY)
        assert [item async for item in model.stream(ASK)]
        with pytest.raises(ModelError, match="closed the connection without an answer"):
            assert [item async for item in model.stream(ASK)]
        await model.aclose()

    with faulty(answers(whole(stream()), keep=True), answers()) as server:
        asyncio.run(run(server))
        assert len(server.requests) == 3


LONG = Request([messages.user("x" * 30_000_000)])


def test_a_server_that_does_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = refusal(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", LONG)
    assert "sent nothing for 0.3 seconds" in str(error)


def test_an_answer_to_a_request_that_was_not_read() -> None:
    refused = whole(error("too many tokens"), "413 X", "application/json")
    said = pytest.raises(ModelError, match=r"\(HTTP 413: too many tokens\)")
    with faulty(silent(refused), unread=True) as server:
        with said:
            asked(server.url, LONG)
        assert server.left.wait(5)
    gc.collect()  # a connection that was left open because nobody reads what was sent would say so


def test_an_answer_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST", 1_000_000)
    word = chunk({"content": "x" * 10_000})
    with faulty(answers(head(**STREAMED), *[chunked([word])] * 150)) as server:
        assert "sent an answer of more than 1 MB: ask for less" in str(refusal(server.url))
    monkeypatch.setattr(sse, "LARGEST", 100_000)
    for kind in ("text/event-stream", "application/json"):
        with faulty(answers(head(kind=kind, **STREAMED), *[chunked([b"data: " + b"x" * 10_000])] * 15)) as server:
            assert "sent an answer of more than 0 MB" in str(refusal(server.url))


@pytest.mark.parametrize("size", [10_000_000, 1000, 10])
def test_ten_megabytes(size: int) -> None:
    """In one event, in ten thousand, and in so many tiny ones that their JSON makes ten megabytes."""
    count = 10_000_000 // max(size, 100)
    body = chunk({"content": "é" * (size // 2)}) * count + chunk({}, "stop") + DONE
    began = time.process_time()
    with faulty(answers(whole(body))) as server:
        answer = asked(server.url)[-1]
    assert len(answer.message.text) == count * (size // 2)
    assert time.process_time() - began < 8


def test_plain_http_at_an_https_url(tmp_path: Path) -> None:
    with faulty(WELL) as server:
        wrong = server.url.replace("http:", "https:")
        reason, text = asyncio.run(fail_and_resume(tmp_path, server, wrong, server.url))
    assert f"could not be reached at {wrong} (it does not speak TLS, should its URL begin with http?)" in reason
    assert text == "All is well."


def test_a_certificate_that_nobody_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def untrusted(server: FaultyServer) -> str:
        async with opened(tmp_path, server.url, 10) as session:
            return "\n".join(await failed(session, server))

    async def trusted(server: FaultyServer, run: str) -> str:
        async with opened(tmp_path, server.url, 10) as session:
            return (await session.drain(ResumeRun(run))).text

    with faulty(WELL, tls=context) as server, authority.cert_pem.tempfile() as certificate:
        run, reason = asyncio.run(untrusted(server)).split("\n")
        assert f"could not be reached at {server.url} (its certificate is not trusted)" in reason
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
        assert asyncio.run(trusted(server, run)) == "All is well."


def test_an_https_server_at_an_http_url() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with faulty(WELL, tls=context) as server:
        assert "closed the connection without an answer" in str(refusal(server.url.replace("https:", "http:")))


def test_a_handshake_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = refusal(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
    assert "(no connection within 0.2 seconds)" in str(error)


def test_a_name_that_nobody_has(tmp_path: Path) -> None:
    with faulty(WELL) as server:
        reason, text = asyncio.run(fail_and_resume(tmp_path, server, "http://models.invalid/v1", server.url))
    assert "could not be reached at http://models.invalid/v1 (name or service not known)" in reason
    assert text == "All is well."
