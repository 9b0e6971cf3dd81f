"""What is planted in a real notebook is looked for in the raw bytes of all that its runs leave, and of all they send.

Keys are nowhere. Masked values, and those of what is local only, are in no request. The journal keeps these, as the
pages say; that they are found there shows that the search finds.
"""

import base64
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import duckdb
import pytest
from tests.notebooks.execution import environment, run
from tests.support.chat_server import Received, Reply, calls, chat_server, chunk, says

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(60)]

KEY = "AIzaQ7-zx81mN/bv_77+LkjhGf42"  # no pattern knows it for a key
CARD, MAIL, NAME = "4111 1111 1111 1111", "zacharias.ohlendorf@example.com", "Zacharias Ohlendorf"
MASKED = (CARD, CARD.replace(" ", ""), MAIL, MAIL.upper(), NAME, "Ohlendorf", "ohlendorf", "Zacharias")
LOCAL = ("Hypothyreose-Befund", "Quellenweg 77b")
POLICY = """
[[mask]]
kind = "card"
[[mask]]
kind = "email"
restore = true
[[mask]]
column = "name"
[[local_only]]
variable = "patients"
"""
CELLS = [
    "import logging, os, shutil\nimport pandas as pd\nfrom assent import tool\n"
    "logging.basicConfig(level=logging.DEBUG, filename='debug.log')",
    f"people = pd.DataFrame({{'name': [{NAME!r}], 'mail': [{MAIL!r}], 'said': ['pay by {CARD}']}})\n"
    f"patients = pd.DataFrame({{'finding': [{LOCAL[0]!r}], 'street': [{LOCAL[1]!r}], 'age': [61]}})",
    "@tool(privilege='read_only')\ndef look() -> str:\n    'The environment, and somebody.'\n"
    "    return f\"{dict(os.environ)} {people.name[0]} {people.mail[0].replace('@', '%40')}\"",
    "%agent record recorded.jsonl",
    "%%agent --tools sql,look,python --on-ask suspend\nWho is in {people}? Is it " + MAIL.upper() + "?",
    "runs = %agent runs\nrun = runs['run'][0]",
    "%agent approve {run}.3",
    "%agent resume {run}",
    "%%agent --model scripted:here.json --tools sql\nWhat is in {patients}?",
    "%%agent --tools sql\nWhat is in {patients}?",
    "%%agent --tools sql\nLook into the patients.",
    "shutil.copytree('.assent', 'at_work')",
    "%agent sql SELECT * FROM egress",
    "%agent sql SELECT * FROM incidents",
    "%agent replay {run}",
    "%agent backup kept.zip",
    "%agent audit export events.jsonl",
    "%agent",
]
CODE = "print(people.to_string(), os.environ['OPENAI_API_KEY'])\nraise ValueError(os.environ)"
HERE = [[{"kind": "call", "id": "c1", "name": "sql", "arguments": '{"query": "FROM patients"}'}], f"61, {LOCAL[1]}."]


def forms(value: str) -> set[bytes]:
    """How bytes may hold a text: plain, in JSON, in a URL, in base64 wherever it begins, in UTF-16."""
    texts = {value, json.dumps(value)[1:-1], value.replace("/", "\\/"), quote(value), quote(value, safe="")}
    found = {text.encode() for text in texts} | {value.encode("utf-16-le")}
    for before in range(3):
        coded = base64.b64encode(bytes(before) + value.encode())
        found.add(coded[-(-8 * before // 6) : 8 * (before + len(value.encode())) // 6])
    return found


def holds(data: bytes, values: Sequence[str]) -> list[str]:
    return [value for value in values if any(form in data for form in forms(value))]


@dataclass(frozen=True)
class Left:
    """What a notebook has left in its folder, and what a vendor was sent."""

    folder: Path
    requests: Sequence[Received]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Each file's bytes, those in archives too, and what the databases say, which may be packed in their bytes."""
        for file in sorted(self.folder.rglob("*")):
            if file.is_file():
                yield str(file.relative_to(self.folder)), file.read_bytes()
        with zipfile.ZipFile(self.folder / "kept.zip") as archive:
            for name in archive.namelist():
                yield f"kept.zip/{name}", archive.read(name)
        for place in (".assent", "at_work"):
            yield f"{place} as SQL", said(next((self.folder / place).glob("*.duckdb")))

    def sent(self) -> bytes:
        return b"\n".join([received.raw for received in self.requests])


def said(database: Path) -> bytes:
    """All rows of its tables, of a copy: to open it changes its files."""
    with TemporaryDirectory() as folder, duckdb.connect(copied(database, Path(folder))) as connection:
        tables = connection.execute("SELECT table_schema, table_name FROM information_schema.tables "
                                    "WHERE table_type = 'BASE TABLE'").fetchall()  # fmt: skip
        return "\n".join([repr(connection.table(f'"{s}"."{t}"').fetchall()) for s, t in tables]).encode()


def copied(database: Path, folder: Path) -> str:
    for file in database.parent.glob(f"{database.name}*"):
        shutil.copy(file, folder)
    return str(folder / database.name)


def answer(received: Received) -> Reply:
    """Asks for all that there is, says back what it was told, and the key."""
    messages = received.body["messages"]
    if "Look into" in messages[-1]["content"]:
        return calls(("sql", '{"query": "FROM patients"}'))
    if messages[-1]["role"] == "user":
        return calls(("sql", '{"query": "FROM people"}'), ("look", "{}"), ("python", json.dumps({"code": CODE})))
    return Reply([chunk({"content": f"[email_1], by {KEY[:9]}"}), chunk({"content": KEY[9:]}), *says(".").pieces])


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    import nbformat  # takes a second: not while tests are collected

    folder = tmp_path_factory.mktemp("planted")
    (folder / ".assent").mkdir()
    (folder / ".assent" / "policy.toml").write_text(POLICY)
    (folder / "here.json").write_text(json.dumps(HERE))
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell, metadata={"tags": ["raises-exception"]}) for cell in CELLS]
    nbformat.write(notebook, folder / "planted.ipynb")
    with chat_server(answer) as server:
        known = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url, "HOME": str(folder / "home")}
        env = environment(folder, "openai:m") | known | {"PYTHONPATH": os.getcwd()}
        run("assent", ["run", "planted.ipynb", "--output", "planted.ipynb"], env, folder)
        (folder / "here.json").unlink()
        yield Left(folder, server.requests)


def test_all_of_it_was_done(left: Left) -> None:
    """What is searched has in it what there is to find."""
    shown = (left.folder / "planted.ipynb").read_text()
    for said in ("identical: 1", "Assent 0.1.0 · workspace", LOCAL[1], "which is local only", "raises ValueError"):
        assert said in shown
    assert [len(received.body["messages"]) for received in left.requests] == [2, 6, 2]
    assert {received.headers["authorization"] for received in left.requests} == {f"Bearer {KEY}"}
    assert left.sent().count(b"[key]") >= 2
    assert left.sent().count(b"[card_1]") >= 3
    assert left.sent().count(b"[email_1]") >= 5


def test_the_key_is_nowhere(left: Left) -> None:
    assert holds(left.sent(), [KEY]) == []
    assert [name for name, data in left.files() if holds(data, [KEY, KEY[9:]])] == []
    assert holds(f"Basic {base64.b64encode(f'x:{KEY}'.encode()).decode()}".encode(), [KEY]) == [KEY]


def test_no_request_holds_what_is_masked_or_local_only(left: Left) -> None:
    assert holds(left.sent(), [*MASKED, *LOCAL]) == []


def test_what_is_told_of_requests_does_not_either(left: Left) -> None:
    with duckdb.connect(str(left.folder / ".assent" / "assent.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT events::VARCHAR FROM events WHERE kind = 'model_asked'").fetchall()
        view = connection.execute("SELECT egress::VARCHAR FROM egress").fetchall()
    assert len(rows) == 3
    assert holds(repr([rows, view]).encode(), [*MASKED, *LOCAL]) == []


def test_the_journal_recordings_backups_and_exports_keep_the_values_as_the_pages_say(left: Left) -> None:
    data = dict(left.files())
    for name in (".assent as SQL", "at_work as SQL", "recorded.jsonl", "events.jsonl", "planted.ipynb"):
        assert set(holds(data[name], [CARD, MAIL, NAME, *LOCAL])) == {CARD, MAIL, NAME, *LOCAL}, name
    assert holds(data["at_work/assent.duckdb.wal"], [MAIL, LOCAL[1]]) == [MAIL, LOCAL[1]]
    assert any(holds(data[name], [LOCAL[1]]) for name in data if name.startswith("kept.zip/"))
