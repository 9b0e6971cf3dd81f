"""Keys stay where they belong: after every kind of failure nobody finds one in anything that is kept or shown."""

import asyncio
import base64
import contextlib
import io
import json
import logging
import os
import socket
import ssl
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
import trustme
from IPython.core.ultratb import VerboseTB
from IPython.utils.capture import capture_output
from tests.magics.conftest import shell  # noqa: F401  # a fixture
from tests.magics.shell import Shell
from tests.support.calls import call
from tests.support.chat_server import DONE, ChatServer, Reply, calls, chat_server, chunk, event, says
from tests.support.faults import Behaviour, Exchange, answers, faulty, head, whole
from tests.support.sessions import opened, ran, results
from tests.support.vendors import vendor
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core import messages
from assent.core.agent import Agent
from assent.core.commands import Decide, ResumeRun, StartRun
from assent.core.config import Config
from assent.core.errors import AssentError, ModelError
from assent.core.model import Request
from assent.models.keys import Access
from assent.models.remote import RemoteModel
from assent.models.resolve import resolve
from assent.tools.tool import Output, tool

KEY = "AIzaQ7-zx81mN/bv_77+LkjhGf42"  # no pattern knows it for a key
FORMS = [form.encode() for form in (KEY, quote(KEY), quote(KEY, safe=""), json.dumps(KEY)[1:-1].replace("/", "\\/"))]
FORMS += [base64.b64encode(KEY.encode()).rstrip(b"=")[:-1], base64.b64encode(f"x:{KEY}".encode())[3:-4]]
VENDORS = ("openai", "openai-responses", "anthropic", "gemini")
SILENCE = 5.0  # seconds
CONFIG = Config(models={"default": {"attempts": 2, "backoff": 0.0, "breaker": 0}})


def told(value: Any) -> list[bytes]:
    """In which forms a text, bytes, or anything by its repr, tells the key."""
    data = value if isinstance(value, bytes) else (value if isinstance(value, str) else repr(value)).encode()
    return [form for form in FORMS if form in data]


# How servers fail


def echo(status: str, kind: str, before: bytes = b"", after: bytes = b"") -> Behaviour:
    """Give back the whole head of the request, the key in it."""

    def behave(exchange: Exchange) -> None:
        said = json.dumps(exchange.request.partition(b"\r\n\r\n")[0].decode()).encode()
        exchange.send(whole(before + said + after, status, kind))

    return behave


def stalls(exchange: Exchange) -> None:
    exchange.send(head() + chunk({"content": "Hm"}))
    exchange.gone()


def resets(exchange: Exchange) -> None:
    exchange.send(head() + event({"error": KEY})[:-4])
    exchange.reset()


def refusing(message: Any, status: str) -> Behaviour:
    return answers(whole(json.dumps({"error": message}).encode(), status, "application/json"))


ENCODED = f"{quote(KEY, safe='')} {base64.b64encode(KEY.encode()).decode()} {json.dumps(KEY)}"
FAULTS: Mapping[str, Behaviour] = {
    "wrong-key": refusing({"message": f"Incorrect API key provided: {KEY}."}, "401 Unauthorized"),
    "nested": refusing({"details": [{"reason": {"given": KEY}}], KEY: "unknown"}, "400 Bad Request"),
    "encoded": refusing({"message": ENCODED}, "400 Bad Request"),
    "at-the-cut": refusing({"message": f"{'x' * 290} {KEY}"}, "400 Bad Request"),
    "no-money": refusing({"message": f"{KEY} has no credit", "code": "insufficient_quota"}, "402 Payment Required"),
    "forbidden": echo("403 Forbidden", "application/json", b'{"message": ', b"}"),
    "unknown": echo("404 Not Found", "application/json", b'{"detail": ', b"}"),
    "limited": answers(whole(b"{}", "429 Too Many Requests", "application/json", Retry_After=KEY)),
    "broken": echo("500 Internal Server Error", "application/json", b'{"error": {"message": ', b"}}"),
    "overloaded": refusing({"type": "overloaded_error", "message": KEY}, "529 Overloaded"),
    "page": echo("200 OK", "text/html", b"<html>", b"</html>"),
    "error-page": echo("502 Bad Gateway", "text/html", b"<html>", b"</html>"),
    "plain": echo("200 OK", "text/plain"),
    "half-json": answers(whole(b'data: {"error": "' + KEY.encode() + b"\n\n")),
    "odd-json": answers(whole(event({"choices": KEY, "content": KEY, "candidates": KEY, "type": KEY}))),
    "odd-list": answers(whole(event([KEY]))),
    "reported": answers(whole(event({"error": {"message": f"lost {KEY}", "code": 500}, "type": "error"}) + DONE)),
    "not-streamed": answers(whole(json.dumps({"error": {"message": KEY}}).encode(), kind="application/json")),
    "cut": answers(head() + chunk({"content": "Hm"}) + b'data: {"' + KEY.encode()),
    "empty": answers(whole(b"")),
    "hangs-up": answers(),
    "resets": resets,
    "stalls": stalls,
    "redirects": answers(whole(b"", "307 Temporary Redirect", Location=f"http://127.0.0.1:1/{KEY}")),
    "bad-status-line": answers(f"HTTP/1.1 two hundred {KEY}\r\n\r\n".encode()),
    "bad-header": answers(f"HTTP/1.1 200 OK\r\n{KEY} \x00: {KEY}\r\n\r\n".encode()),
    "endless-header": answers(f"HTTP/1.1 200 OK\r\nX: {KEY * 10_000}\r\n\r\n".encode()),
    "bad-cookie": answers(whole(b"{}", "500 No", Set_Cookie=f"{KEY}[]=@; expires={KEY}")),
    "bad-length": answers(f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode()),
    "bad-coding": answers(whole(b"{}", Content_Encoding=KEY)),
    "bad-gzip": answers(whole(KEY.encode(), Content_Encoding="gzip")),
    "bad-chunks": answers(head(Transfer_Encoding="chunked") + f"{KEY}\r\n{KEY}\r\n".encode()),
}


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """A base URL for each fault, by its name."""
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(certificate)
    with ExitStack() as stack, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        urls = {name: stack.enter_context(faulty(behaviour)).url for name, behaviour in FAULTS.items()}
        plain = stack.enter_context(faulty(answers(KEY.encode())))
        urls |= {
            "refused": f"http://127.0.0.1:{taken.getsockname()[1]}/v1",
            "nowhere": f"http://{KEY[:8].lower()}.invalid/v1",
            "untrusted": stack.enter_context(faulty(answers(), tls=certificate)).url,
            "no-tls": plain.url.replace("http:", "https:"),
        }
        yield urls


# Where one looks


class Ears(logging.Handler):
    """Keeps all that any logger says, as a formatter would write it and as it was given."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.name} {self.format(record)} {record.args!r}")
        if record.exc_info and record.exc_info[1]:
            self.heard += said_by(record.exc_info[1])


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What every logger says, at its most talkative."""
    ears = Ears()
    for name in ("", "asyncio", "aiohttp", "aiohttp.client", "httpx", "httpcore", "assent"):
        caplog.set_level(logging.DEBUG, name)
    logging.getLogger().addHandler(ears)
    yield ears.heard
    logging.getLogger().removeHandler(ears)


def kept_in(folder: Path) -> list[tuple[str, bytes]]:
    """The files of a workspace that tell the key."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    assert files
    return [(file.name, form) for file in files for form in told(file.read_bytes())]


def recorded(session: Session) -> list[str]:
    """Every event of a workspace as text, by SQL and as it is read back."""
    rows = session.journal.select("SELECT events::VARCHAR FROM events")
    assert rows
    return [str(row[0]) for row in rows] + [repr(event) for event in session.journal.events()]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        if (one := waiting.pop()) is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def said_by(error: BaseException) -> list[str]:
    """Everything that a display or a log could make of an error, local variables included."""
    texts = [text for one in chain(error) for text in (str(one), repr(one), repr(one.args), repr(vars(one)))]
    texts += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    verbose = VerboseTB(theme_name="nocolor", include_vars=True)
    with contextlib.redirect_stdout(io.StringIO()):
        texts.append(str(verbose.text(type(error), error, error.__traceback__)))
    return texts


def model(maker: str, url: str, name: str = "m") -> RemoteModel:
    return RemoteModel(vendor(maker), name, url, KEY, 0.3 if name == "stalls" else SILENCE)


async def failure(maker: str, url: str, name: str) -> ModelError:
    """How asking that server fails."""
    asked = model(maker, url, name)
    try:
        async for _ in asked.stream(Request([messages.user("Hello?")])):
            pass
    except ModelError as error:
        return error
    finally:
        await asked.aclose()
    raise AssertionError(f"{url} answered")


# Nobody finds a key


@pytest.mark.parametrize("maker", VENDORS)
def test_an_error_does_not_tell_the_key_whatever_it_is_asked(maker: str, logs: list[str]) -> None:
    async def ask(urls: Mapping[str, str]) -> dict[str, ModelError]:
        errors = await asyncio.gather(*[failure(maker, url, name) for name, url in urls.items()])
        return dict(zip(urls, errors, strict=True))

    with servers() as urls:
        errors = asyncio.run(ask(urls))
    assert [(name, told(text), text) for name, error in errors.items() for text in said_by(error) if told(text)] == []
    assert "[key]" in str(errors["nested"])
    assert [text for text in logs if told(text)] == []


@pytest.mark.slow
def test_a_failed_run_keeps_no_key(tmp_path: Path, logs: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / ".assent"

    async def runs(urls: Mapping[str, str]) -> list[Any]:
        models = [model(maker, url, name) for maker in VENDORS for name, url in urls.items()]
        config = Config(
            models={**CONFIG.models, "openai:broken": {"fallback": ("anthropic:broken", "gemini:wrong-key")}}
        )
        async with Session(prepare(folder), config=config, models=models) as session:
            agents = [Agent(name=f"a{at}", tools=(), model=asked.name) for at, asked in enumerate(models)]
            results = await asyncio.gather(*[session.run(agent, "Hello?") for agent in agents])
            resumed = await session.drain(ResumeRun(results[0].run))
            texts = recorded(session)
            assert [text for text in texts if told(text)] == []
            kinds = {row[0] for row in session.journal.select("SELECT DISTINCT kind FROM events")}
            assert {"model_retried", "model_fell_back", "model_failed", "run_failed"} <= kinds
            assert kept_in(folder) == []
            return [*results, resumed]

    with servers() as urls:
        results = asyncio.run(runs(urls), debug=True)
    assert {result.status for result in results} == {"failed"}
    assert [result for result in results if told(result)] == []
    assert kept_in(folder) == []
    assert [text for text in logs if told(text)] == []
    assert told("".join(capfd.readouterr())) == []


def test_what_was_searched_would_have_been_found(tmp_path: Path, logs: list[str]) -> None:
    """The searches of the other tests, where there is something to find."""
    folder = prepare(tmp_path / ".assent")

    async def run() -> list[str]:
        async with Session(folder, config=CONFIG, models=[model("openai", "http://127.0.0.1:1/v1")]) as session:
            await session.run(Agent(tools=()), f"My key is {KEY}.")
            assert told("".join(recorded(session)))
            return [name for name, _ in kept_in(folder)]

    assert asyncio.run(run())
    caused = LookupError("no")
    caused.__cause__ = ValueError(KEY)
    assert told("".join(said_by(caused)))
    logging.getLogger("aiohttp.client").debug("look", exc_info=caused)
    assert told(logs[-1])
    assert all(told(form) for form in (repr({"k": KEY}), quote(KEY, safe=""), ENCODED))
    login = f"x:{KEY}".encode()
    assert told(base64.b64encode(login))


def test_a_key_that_cannot_be_sent_is_not_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for bad in (f"{KEY}\u00fc", f"{KEY}\n{KEY}"):
        monkeypatch.setenv("OPENAI_API_KEY", bad)
        with pytest.raises(ModelError, match="holds characters") as caught:
            resolve("openai:m", Config(), tmp_path / ".assent")
        assert [text for text in library(caught.value) if told(text)] == []
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "nowhere")
    with pytest.raises(AssentError, match="is no base URL") as wrong:
        resolve("openai:m", Config(), tmp_path / ".assent")
    assert [text for text in library(wrong.value) if told(text)] == []


def library(error: BaseException) -> list[str]:
    """`said_by`, without this test's own variables."""
    trace = error.__traceback__
    return said_by(error.with_traceback(trace.tb_next if trace else None))


@pytest.mark.parametrize("maker", VENDORS)
def test_no_repr_shows_the_key(maker: str) -> None:
    asked = model(maker, f"http://me:{quote(KEY, safe='')}@127.0.0.1:1/v1")
    inside = asked._http
    values = [asked, inside, asked.place, *vars(inside).values(), Access("http://x", KEY)]
    assert [value for value in values if told(value) and value != KEY] == []


# What tools give


@tool(privilege="read_only")
def environment() -> str:
    """The environment as text."""
    return "\n".join(f"{name}={value}" for name, value in os.environ.items())


@tool(privilege="read_only")
def table() -> dict[str, str]:
    """The environment as a value."""
    return dict(os.environ)


@tool(privilege="read_only")
def shown() -> Output:
    """The environment for people."""
    return Output("done", {"type": "table", "columns": ["v"], "rows": [[value] for value in os.environ.values()]})


@tool(privilege="read_only")
def raises() -> None:
    """Fails, and says with what."""
    raise ValueError(f"refused: {os.environ['OPENAI_API_KEY']}")


@tool(privilege="read_only")
async def later(key: int = 0) -> bytes:
    """Fails on its arguments, or gives bytes."""
    return base64.b64encode(f"me:{os.environ['OPENAI_API_KEY']}".encode())


@tool(privilege="read_only")
def long() -> str:
    """A text that is cut where a key stands."""
    return "x" * 9_990 + os.environ["OPENAI_API_KEY"] + "y" * 50_000


TOOLS = (environment, table, shown, raises, later, long)
CODE = "import os\nprint(os.environ)\nkey = os.environ['OPENAI_API_KEY']\nframe = 1 / 0 if key else key"


def test_a_tool_that_tells_the_environment_does_not_tell_the_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, logs: list[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    folder = tmp_path / ".assent"
    frame = pd.DataFrame({"name": ["x" * 30], "value": [KEY], "padded": ["y" * 190 + KEY]})
    wanted = [*[(item.name, "{}") for item in TOOLS], ("later", json.dumps({"key": KEY}))]
    wanted += [("sql", '{"query": "SELECT * FROM frame"}'), ("python", json.dumps({"code": CODE}))]

    async def run(server: ChatServer) -> list[Any]:
        async with Session(prepare(folder), {"frame": frame}, config=CONFIG) as session:
            for item in TOOLS:
                session.add_tool(item)
            names = (*[item.name for item in TOOLS], "sql", "python")
            first = await session.run(Agent(tools=names, model="openai:m"), "Look around.")
            for waiting in first.pending:
                session.decide(Decide(waiting.call, "approve"))
            result = await session.drain(ResumeRun(first.run))
            assert [text for text in recorded(session) if told(text)] == []
            return [first, result]

    with chat_server([calls(*wanted), says("Done.")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        results = asyncio.run(run(server), debug=True)
        assert results[-1].text == "Done."
        assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {KEY}"] * 2
        assert told(server.requests[1].raw) == []
        assert server.requests[1].raw.count(b"[key]") >= len(wanted) - 1
    assert kept_in(folder) == []
    assert [text for text in logs if told(text)] == []


def test_keys_that_no_model_uses_are_not_told_either(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", unused := "AIza-of-another-vendor")
    with opened(tmp_path / ".assent", call("environment"), "Done.", tools=(environment,)) as session:
        result = ran(session, environment)
        [told_to_model] = results(session, result.run)
    assert "GOOGLE_API_KEY=[key]" in told_to_model.text
    assert unused not in told_to_model.text


# What a server says


def test_a_server_that_answers_with_the_key_is_not_repeated(tmp_path: Path) -> None:
    folder = tmp_path / ".assent"
    config = Config(models={"default": {"cache": 60.0}})
    said: list[Any] = []

    async def run(url: str) -> Any:
        async with Session(prepare(folder), config=config, models=[model("openai", url)]) as session:
            async for item in session.submit(StartRun("Who am I?", Agent(tools=()))):
                said.append(item)
            assert [text for text in recorded(session) if told(text)] == []
            return session.result(said[0].run)

    halves = [chunk({"content": KEY[:9]}), chunk({"content": KEY[9:]}), chunk({"content": f" {KEY}"})]
    reply = Reply([chunk({"reasoning_content": KEY}), *halves, chunk({}, "stop"), DONE])
    with chat_server([reply]) as server:
        result = asyncio.run(run(server.url))
    assert result.text == "[key] [key]"
    assert [item for item in said if told(item)] == []
    assert kept_in(folder) == []


# What a notebook shows


ECHOES = ("wrong-key", "nested", "forbidden", "reported", "half-json", "page", "bad-header", "hangs-up", "cut")


def test_a_notebook_shows_no_key(monkeypatch: pytest.MonkeyPatch, shell: Shell, tmp_path: Path) -> None:  # noqa: F811
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shell.run("%xmode Verbose")
    everything: list[str] = []

    def cell(code: str) -> None:
        with capture_output() as captured:
            shell.ipython.run_cell(code)
        displayed = [f"{output.data} {output.metadata}" for output in captured.outputs]
        everything.append("\n".join([captured.stdout, captured.stderr, *displayed]))

    with servers() as urls:
        for name in ECHOES:
            monkeypatch.setenv("OPENAI_BASE_URL", urls[name])
            (tmp_path / "workspace").mkdir(exist_ok=True)
            (tmp_path / "workspace" / "config.toml").write_text("[models.default]\nattempts = 1\n")
            cell(f"%%agent --model openai:{name}\nHello?")
            assert "failed: OpenAI" in everything[-1]
            cell("%agent models")
            assert "openai:gpt-5-mini" in everything[-1]
    for code in ("%agent", "%agent config", "%agent runs", "%agent doctor", "%agent sql SELECT * FROM events"):
        cell(code)
        assert everything[-1].strip()
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\u00fc")
    cell("%%agent --model openai:other\nHello?")
    assert "holds characters that no key has" in everything[-1]
    shell.ipython.loop_runner(shell.desk.session.aclose())
    assert [text for text in everything if told(text)] == []
    assert kept_in(tmp_path / "workspace") == []
