"""An audit: whatever is done to a copied journal is named, and what nobody can see without a signature is said too."""

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from tests.support.signing import at_home
from tests.support.workspaces import prepare

from assent.core.errors import ConfigError, StoreError
from assent.core.events import Event, Kind, Scope
from assent.store import anchor, chain, database, evidence, export, head, signing_key
from assent.store.audit import Audit, audit
from assent.store.backup import back_up
from assent.store.chain import GENESIS
from assent.store.journal import Journal
from assent.store.rows import event_of, hash_of, values_of
from assent.store.schema import COLUMNS, NAMES, SELECT
from assent.store.sign import Signature, sign
from assent.store.tampering import Finding, tampered

LAST = 9  # events of the journal; event 7 is a signature


@dataclass(frozen=True)
class Made:
    """A workspace that was signed, and the configuration with its key."""

    folder: Path
    home: Path
    last: Signature


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A closed workspace of nine events, signed twice: up to event 6, and, outside alone, up to 9."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        at_home(patch, home)
        return Made(folder, home, _made(folder))


def note(number: int) -> Event:
    return Event(
        kind=Kind.CALL_DECIDED, run=f"r{number}", parent=f"p{number}", step=number, user="ana", agent=f"a{number}",
        notebook=f"n{number}.ipynb", cell=f"c{number}", model=f"m{number}", tool=f"t{number}", call=f"r{number}.1",
        privilege="read_only", decision="allow", input_tokens=number, output_tokens=number, cached_tokens=number,
        reasoning_tokens=number, cost=Decimal(number), duration=number / 10, body={"reason": f"ä {number}"},
    )  # fmt: skip


def _made(folder: Path) -> Signature:
    journal = Journal(prepare(folder))
    journal.append([note(number) for number in range(1, 7)]).result(5)
    sign(journal.select, journal.append, Scope(user="ana"), make=True)
    journal.append([note(8)]).result(5)
    journal.append([note(9)]).result(5)
    [(first,), (last,)] = journal.select("SELECT hash FROM events WHERE seq IN (1, 9) ORDER BY seq")
    journal.close()
    key = signing_key.load()
    assert key is not None
    jws = head.sign(LAST, last, first, key)
    return Signature(LAST, jws, head.text_of(key.public_key()), anchor.keep(jws, first))


@pytest.fixture(autouse=True)
def signed(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Signature:
    """The last signature, in a copy of all."""
    shutil.copytree(made.home, tmp_path / "home")
    at_home(monkeypatch, tmp_path / "home")
    return replace(made.last, file=tmp_path / "home" / made.last.file.relative_to(made.home))


@pytest.fixture
def place(made: Made, tmp_path: Path) -> Path:
    """A copy of the workspace."""
    (tmp_path / "work").mkdir()
    shutil.copyfile(made.folder / "assent.duckdb", tmp_path / "work" / "assent.duckdb")
    return tmp_path / "work"


def tamper(place: Path, *statements: str) -> None:
    """The table without its guards, and the statements carried out on it."""
    with duckdb.connect(str(place / "assent.duckdb")) as connection:
        connection.execute("DROP TRIGGER events_refuse_update ON events; DROP TRIGGER events_refuse_delete ON events")
        for statement in statements:
            connection.execute(statement)


def rehashed(place: Path, begin: int, end: int = LAST) -> None:
    """Give the events from `begin` on hashes that fit, as somebody would who means to deceive."""
    with duckdb.connect(str(place / "assent.duckdb")) as connection:
        events = [event_of(row) for row in connection.execute(f"{SELECT} ORDER BY seq").fetchall()]
        bodies = dict(connection.execute("SELECT seq, CAST(body AS VARCHAR) FROM events").fetchall())
        prev = GENESIS
        for event in events:
            if begin <= event.seq <= end:
                event.prev = prev
                event.hash = hash_of(values_of(event, bodies[event.seq]), event.batch)
                given = [event.prev, event.hash, event.seq]
                connection.execute("UPDATE events SET prev = ?, hash = ? WHERE seq = ?", given)
            prev = event.hash


def audited(path: Path, *keys: str, anchors: list[str] | None = None) -> Audit:
    with evidence.opened(path) as found:
        return audit(found.select, found.folder, keys, anchors or [], found.findings)


def told(path: Path, *keys: str, anchors: list[str] | None = None) -> list[tuple[str, int]]:
    return [(item.what, item.seq) for item in audited(path, *keys, anchors=anchors).findings]


def test_a_journal_that_nobody_touched_is_whole_and_signed(place: Path, signed: Signature) -> None:
    found = audited(place, signed.key, anchors=[signed.jws])
    assert found.findings == []
    assert "9 events, the chain fits" in str(found)
    assert "Signed up to event 9 of" in str(found)
    assert found.checked
    assert found.later == 0
    assert "nobody vouched for (--key); 2 later ones are not signed" in str(audited(place))


FLIPS = {
    "VARCHAR": "coalesce({0}, '') || 'x'", "BIGINT": "coalesce({0}, 0) + 1", "INTEGER": "coalesce({0}, 0) + 1",
    "TIMESTAMP": "{0} + INTERVAL 1 SECOND", "DECIMAL(18,9)": "coalesce({0}, 0) + 1", "DOUBLE": "coalesce({0}, 0) + 1",
    "JSON": """replace(CAST({0} AS VARCHAR), '{{"', '{{"x')""",
}  # fmt: skip


@pytest.fixture(scope="module")
def opened(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the database without its guards, for changes that are taken back."""
    copy = tmp_path_factory.mktemp("opened") / "assent.duckdb"
    shutil.copyfile(made.folder / "assent.duckdb", copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("DROP TRIGGER events_refuse_update ON events; DROP TRIGGER events_refuse_delete ON events")
        yield connection


def found_after(connection: duckdb.DuckDBPyConnection, statement: str) -> list[Finding]:
    """What is found once a change is made, which is then taken back."""
    connection.execute("BEGIN")
    connection.execute(statement)
    with pytest.raises(StoreError):
        chain.followed(database.selecting(connection))
    findings = list(tampered(database.selecting(connection)))
    connection.execute("ROLLBACK")
    return findings


@pytest.mark.parametrize("row", [1, 4, LAST])
@pytest.mark.parametrize(("column", "kind"), COLUMNS)
def test_a_column_that_was_changed_is_found_with_its_event(
    opened: duckdb.DuckDBPyConnection, column: str, kind: str, row: int
) -> None:
    value = f"{LAST + 5}" if column == "seq" else FLIPS[kind].format(f'"{column}"')
    found = found_after(opened, f'UPDATE events SET "{column}" = {value} WHERE seq = {row}')
    assert {item.seq for item in found} == {row}
    assert len(found) == (2 if column == "seq" and row < LAST else 1)
    shows = ("prev", "kind", "tenant", "user", "privilege", "decision", "seq", *(["hash"] if row < LAST else []))
    if column in shows:
        assert found[-1].column == column


@pytest.mark.parametrize("row", [1, 4, LAST])
@pytest.mark.parametrize("column", [name for name in NAMES if name != "seq"])
def test_a_column_that_was_emptied_is_found_with_its_event(
    opened: duckdb.DuckDBPyConnection, column: str, row: int
) -> None:
    found = found_after(opened, f'UPDATE events SET "{column}" = NULL WHERE seq = {row}')
    assert [item.seq for item in found] == [row]


ODD = {
    "infinite": "duration = 'inf'", "no number": "duration = 'nan'", "for ever": "time = 'infinity'",
    "long ago": "time = '-infinity'",
    "no object": "body = '[]'", "a forged forgetting": "body = '{\"forgotten\":\"x\"}'",
    "what is no kind": "kind = 'x'", "a signature of nothing": "kind = 'chain_signed', body = '{\"jws\":{\"a\":[]}}'",
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_are_found_and_break_nothing(place: Path, odd: str) -> None:
    tamper(place, f"UPDATE events SET {ODD[odd]} WHERE seq = 4")
    assert told(place)[0] == ("changed", 4)


DEEP = base64.urlsafe_b64encode(b"[" * 6_000).decode()
HEADS = [
    f"{DEEP}.e30.AAAA",
    "",
    "a.b.c",
    "e30.e30.e30",
    "[" * 9_000,
    "x" * 20_000,
    "eyJqd2siOiJ4In0.e30.AAAA",
    "eyJqd2siOnsieCI6IiJ9fQ.e30.AAAA",
]


@pytest.mark.parametrize("jws", HEADS, ids=len)
def test_what_is_no_signature_is_refused(jws: str) -> None:
    with pytest.raises(StoreError, match="no signature of a journal's head"):
        head.read(jws)


LINES = {
    "a number that is too large": ('"seq":4', f'"seq":{2**63}'), "a text for a number": ('"seq":4', '"seq":"4"'),
    "no number": ('"duration":0.4', '"duration":NaN'), "an infinite one": ('"duration":0.4', '"duration":1e999'),
    "a column that is not there": ('"seq":4', '"seq":4,"more":1'), "no time": ('"time":"', '"time":"x'),
    "no amount": ('"cost":"', '"cost":"x'), "a depth without end": ('"step":4', '"step":' + "[" * 100_000),
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_odd_lines_of_an_export_are_named(place: Path, tmp_path: Path, line: str) -> None:
    file = tmp_path / "events.jsonl"
    with evidence.opened(place) as found:
        export.export(found.select, file)
    lines = file.read_text("utf-8").splitlines()
    before, after = LINES[line]
    assert before in lines[3]
    file.write_text("\n".join([*lines[:3], lines[3].replace(before, after, 1), *lines[4:]]), "utf-8")
    assert told(file)[0] in [("unreadable", 4), ("changed", 4)]


DONE = {
    "the first removed": (["DELETE FROM events WHERE seq = 1"], [("removed", 1)]),
    "one in the middle removed": (["DELETE FROM events WHERE seq = 4"], [("removed", 4)]),
    "several removed": (["DELETE FROM events WHERE seq IN (3, 4, 8)"], [("removed", 3), ("removed", 8)]),
    "one twice": (["INSERT INTO events SELECT * FROM events WHERE seq = 4"], [("inserted", 4)]),
    "two exchanged": (["UPDATE events SET seq = 9 - seq WHERE seq IN (4, 5)"], [("moved", 5), ("moved", 4)]),
    "two far apart exchanged": (["UPDATE events SET seq = 10 - seq WHERE seq IN (2, 8)"], [("moved", 8), ("moved", 2)]),
    "one put behind the end": (["UPDATE events SET seq = 500 WHERE seq = 4"], [("removed", 4), ("moved", 4)]),
    "one on another's place": (["UPDATE events SET seq = 6 WHERE seq = 4"], [("removed", 4), ("moved", 4)]),
    "one before the first": (
        ["INSERT INTO events SELECT * REPLACE (0 AS seq, 'x' AS tool) FROM events WHERE seq = 4"], [("inserted", 0)],
    ),
    "one without a number": (
        ["INSERT INTO events SELECT * REPLACE (NULL AS seq) FROM events WHERE seq = 4"], [("inserted", 0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("done", DONE)
def test_what_was_removed_moved_or_put_in_is_named(place: Path, done: str) -> None:
    statements, findings = DONE[done]
    tamper(place, *statements)
    assert [item for item in told(place) if item[0] != "unsigned"] == findings


def test_every_change_of_several_is_named(place: Path) -> None:
    tamper(place, "UPDATE events SET tool = 'x' WHERE seq IN (2, 5)", "DELETE FROM events WHERE seq = 4")
    assert told(place) == [("changed", 2), ("removed", 4), ("changed", 5)]


def test_a_changed_event_with_a_new_hash_does_not_fit_the_next_one(place: Path) -> None:
    tamper(place, "UPDATE events SET tool = 'x' WHERE seq = 4")
    rehashed(place, 4, 4)
    assert told(place) == [("rewritten", 4)]


def test_a_forged_second_event_with_a_fitting_hash_is_told_from_the_true_one(place: Path) -> None:
    tamper(
        place, "CREATE TABLE kept AS SELECT * FROM events WHERE seq = 4", "UPDATE events SET tool = 'x' WHERE seq = 4"
    )
    rehashed(place, 4, 4)
    with duckdb.connect(str(place / "assent.duckdb")) as connection:
        connection.execute("INSERT INTO events SELECT * FROM kept")
    [finding] = audited(place).findings
    assert (finding.what, finding.seq) == ("inserted", 4)
    assert "with a hash of its own that fits" in str(finding)


def test_a_rewritten_tail_shows_in_the_signed_head(place: Path, signed: Signature) -> None:
    tamper(place, "UPDATE events SET tool = 'x' WHERE seq = 4")
    rehashed(place, 4)
    assert told(place) == [("rewritten", 1)]  # by the signature in the journal: some event up to 6
    assert audited(place).findings[0].until == 6


def test_a_tail_rewritten_after_the_last_signature_shows_in_an_anchor_alone(place: Path, signed: Signature) -> None:
    tamper(place, "UPDATE events SET tool = 'x' WHERE seq = 8")
    rehashed(place, 8)
    assert told(place) == []
    [finding] = audited(place, anchors=[signed.jws]).findings
    assert (finding.what, finding.seq, finding.until) == ("rewritten", 7, 9)
    assert "Before 7 all is as it was signed" in str(finding)


def test_an_event_put_in_with_all_hashes_anew_shows_in_the_signed_head(place: Path, signed: Signature) -> None:
    tamper(
        place, "UPDATE events SET seq = seq + 1 WHERE seq >= 4",
        "INSERT INTO events SELECT * REPLACE (4 AS seq, 'x' AS tool) FROM events WHERE seq = 3",
    )  # fmt: skip
    rehashed(place, 4, LAST + 1)
    assert told(place, anchors=[signed.jws]) == [("rewritten", 1)]


def test_a_cut_off_end_shows_in_an_anchor_alone(place: Path, signed: Signature) -> None:
    tamper(place, "DELETE FROM events WHERE seq >= 8")
    assert told(place) == []
    [finding] = audited(place, anchors=[signed.jws]).findings
    assert (finding.what, finding.seq, finding.until) == ("removed", 8, 9)


def test_a_journal_written_anew_from_its_first_event_is_no_journal_of_the_anchor(
    place: Path, signed: Signature
) -> None:
    tamper(place, "UPDATE events SET tool = 'x' WHERE seq = 1", "DELETE FROM events WHERE seq > 6")
    rehashed(place, 1)
    assert told(place) == []
    assert told(place, anchors=[signed.jws]) == [("rewritten", 1)]
    assert told(place, signed.key) == [("unsigned", 0)]


def test_a_signature_of_another_key_does_not_count(place: Path, signed: Signature, tmp_path: Path) -> None:
    with evidence.opened(place) as found:
        [(first,), (sixth,)] = found.select("SELECT hash FROM events WHERE seq IN (1, 6) ORDER BY seq", ())
    signing_key.path().unlink()
    other, _ = signing_key.make()
    forged = head.sign(6, sixth, first, other)
    tamper(place, f'UPDATE events SET body = \'{{"jws":"{forged}"}}\' WHERE seq = 7')
    assert told(place, signed.key) == [("changed", 7), ("unsigned", 7), ("unsigned", 0)]
    rehashed(place, 7)
    assert told(place, signed.key) == [("unsigned", 7), ("unsigned", 0)]
    assert "is signed by another key" in str(audited(place, signed.key))
    assert told(place) == []  # who names no key believes any: the line says so
    assert "nobody vouched for" in str(audited(place))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_signature_that_was_changed_does_not_count(place: Path, signed: Signature, part: int) -> None:
    pieces = signed.jws.split(".")
    pieces[part] = pieces[part][:20] + ("A" if pieces[part][20] != "A" else "B") + pieces[part][21:]
    assert told(place, anchors=[".".join(pieces)]) == [("unsigned", 0)]


def test_an_export_is_verified_again_and_names_what_was_done_to_it(
    place: Path, signed: Signature, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    with evidence.opened(place) as found:
        assert export.export(found.select, file) == LAST
    assert file.stat().st_mode & 0o077 == 0
    assert audited(file, signed.key, anchors=[signed.jws]).whole == audited(place).whole
    lines = file.read_text("utf-8").splitlines()

    def done(changed: list[str]) -> list[tuple[str, int]]:
        (tmp_path / "other.jsonl").write_text("\n".join(changed) + "\n", "utf-8")
        return told(tmp_path / "other.jsonl", anchors=[signed.jws])

    assert done(lines) == []
    assert done([*lines[:3], lines[3].replace('"ä 4"', '"ä 5"'), *lines[4:]]) == [("changed", 4)]
    assert done([*lines[:3], *lines[4:]]) == [("removed", 4)]
    assert done([lines[1], lines[0], *lines[2:]]) == [("moved", 1)]
    assert done([*lines[:4], *lines[3:]]) == [("inserted", 4)]
    assert done(lines[:-1]) == [("removed", 9)]
    assert done([*lines[:3], '{"seq":4}', *lines[4:]]) == [("unreadable", 4), ("removed", 4)]
    assert done([*lines[:3], lines[3].replace('"seq":4', '"seq":4,"seq":4'), *lines[4:]])[0] == ("unreadable", 4)


def test_a_backup_is_evidence_too_and_what_is_handed_in_is_not_changed(place: Path, tmp_path: Path) -> None:
    journal = Journal(place)
    back_up(journal, tmp_path / "b.zip")
    journal.close()
    before = {path: path.read_bytes() for path in (tmp_path / "b.zip", place / "assent.duckdb")}
    for path in (tmp_path / "b.zip", place / "assent.duckdb", place):
        assert audited(path).findings == []
    assert {path: path.read_bytes() for path in before} == before


def test_the_file_of_a_workspace_that_is_open_here_is_left_alone(place: Path) -> None:
    journal = Journal(place)
    for path in (place, place / "assent.duckdb"):
        with pytest.raises(StoreError, match="is open here"):
            audited(path)
    journal.close()
    assert told(place) == []


def test_an_untouched_journal_is_not_signed_twice(place: Path) -> None:
    journal = Journal(place)
    first = sign(journal.select, journal.append, Scope(user="ana"))
    assert sign(journal.select, journal.append, Scope(user="ana")).seq == first.seq == LAST
    assert journal.select("SELECT count(*) FROM events") == [(LAST + 1,)]
    assert len(anchor.heads(first.file)) == 3
    journal.close()


def test_what_was_posted_before_is_signed_too(place: Path) -> None:
    journal = Journal(place)
    journal.post([note(10)])
    assert sign(journal.select, journal.append, Scope(user="ana")).seq == LAST + 1
    journal.close()


def test_what_does_not_fit_the_last_signature_is_not_signed_over(place: Path) -> None:
    tamper(place, "UPDATE events SET tool = 'x' WHERE seq = 8")
    rehashed(place, 8)
    journal = Journal(place)
    with pytest.raises(StoreError, match=r"does not fit what was signed last, event 9 of .* --force"):
        sign(journal.select, journal.append, Scope(user="ana"))
    done = sign(journal.select, journal.append, Scope(user="ana"), force=True)
    assert journal.select("SELECT count(*) FROM events WHERE kind = 'chain_signed'") == [(2,)]
    journal.close()
    assert told(place, anchors=anchor.heads(done.file)) == [("rewritten", 7)]  # it is told for ever


def test_the_key_is_in_a_file_for_its_owner_under_the_passphrase(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert signing_key.path().stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in signing_key.path().read_bytes()
    monkeypatch.setenv(signing_key.PASSPHRASE, "another passphrase")
    with pytest.raises(ConfigError, match="the passphrase is another one"):
        signing_key.load()
    monkeypatch.delenv(signing_key.PASSPHRASE)
    with pytest.raises(ConfigError, match="needs a passphrase"):
        signing_key.load()
    assert signing_key.load(lambda question: "a long passphrase") is not None


def test_the_public_key_is_read_without_a_passphrase_and_cannot_be_another(place: Path) -> None:
    key = signing_key.load()
    assert key is not None
    text, file = head.text_of(key.public_key()), signing_key.path()
    line, _, private = file.read_bytes().partition(b"\n")
    assert (line.decode(), signing_key.public(pytest.fail)) == (f"Public key: {text}", text)
    file.write_bytes(private)  # as older versions made it
    assert signing_key.public() == text
    other = head.text_of(signing_key.fresh().public_key())
    file.write_bytes(f"Public key: {other}\n".encode() + private)
    with pytest.raises(ConfigError, match="names another public key than its own"):
        signing_key.load()


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[str, str], str]]:
    """A keyring that works."""
    keyring = pytest.importorskip("keyring")
    held: dict[tuple[str, str], str] = {}
    monkeypatch.undo()
    monkeypatch.setattr(keyring, "get_password", lambda service, name: held.get((service, name)))
    monkeypatch.setattr(keyring, "set_password", lambda service, name, value: held.update({(service, name): value}))
    yield held
    monkeypatch.undo()


def test_a_keyring_that_works_keeps_the_key(
    ring: dict[tuple[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made, where = signing_key.make()
    assert where == "the system's keyring"
    assert not signing_key.path().exists()
    found = signing_key.load()
    assert found is not None
    assert head.text_of(found.public_key()) == head.text_of(made.public_key())
    with pytest.raises(ConfigError, match="already"):
        signing_key.make()


def test_no_key_is_taken_for_an_option() -> None:
    made = [head.text_of(signing_key.fresh().public_key()) for _ in range(500)]
    assert not [text for text in made if text.startswith("-")]
