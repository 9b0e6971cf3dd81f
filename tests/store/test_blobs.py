"""Large payloads: set aside, restored, and noticed when they are missing or changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store import blobs
from assent.store.bodies import BLOB_BYTES
from assent.store.journal import Journal
from assent.store.schema import VIEWS

LONG = "é\0" + "x" * 2 * BLOB_BYTES


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def test_equal_bytes_are_kept_once(tmp_path: Path) -> None:
    names = {blobs.put(tmp_path / "blobs", b"payload") for _ in range(3)}
    assert len(names) == 1
    assert len(files(tmp_path)) == 1
    assert blobs.get(tmp_path / "blobs", names.pop()) == b"payload"


def test_a_long_body_is_set_aside_and_put_back(journal: Journal) -> None:
    body = {"text": LONG, "error": False, "display": {"rows": ["y" * BLOB_BYTES]}}
    journal.append([Event(kind=Kind.CALL_FINISHED, run="r", call="r.1", body=dict(body))]).result()
    assert journal.events("r")[0].body == body
    [(kept,)] = journal.select("SELECT body FROM events")
    assert len(kept) < 5_000
    assert len(files(journal.folder)) == 1
    assert journal.verify() == 1


def test_a_body_just_at_the_limit_stays_in_the_row(journal: Journal) -> None:
    text = "x" * (BLOB_BYTES - len('{"text":""}'))
    journal.append([Event(kind=Kind.CALL_FINISHED, run="r", body={"text": text})]).result()
    assert files(journal.folder) == []
    assert journal.events("r")[0].body["text"] == text


def test_views_show_the_beginning_of_what_was_set_aside(journal: Journal) -> None:
    call: dict[str, Any] = {"run": "r", "call": "r.1", "step": 1}
    message = {"role": "assistant", "parts": [{"kind": "text", "text": LONG}]}
    journal.append(
        [
            Event(kind=Kind.RUN_STARTED, run="r", body={"prompt": LONG, "agent": {"instructions": LONG}}),
            Event(kind=Kind.MODEL_ANSWERED, body={"message": message, "stop": "calls"}, run="r", step=1),
            Event(kind=Kind.MODEL_FAILED, body={"error": LONG}, run="r", step=1),
            Event(kind=Kind.CALL_DECIDED, decision="ask", body={"arguments": {"code": LONG}, "reason": "asks"}, **call),
            Event(kind=Kind.CALL_FINISHED, body={"text": LONG, "error": False}, **call),
        ]
    ).result()
    full = {view for view in VIEWS if journal.select(f"SELECT * FROM {view}")}
    assert {"runs", "steps", "tool_calls", "approvals", "audit", "costs", "unpriced", "incidents"} <= full
    [(result, status)] = journal.select("SELECT result, status FROM tool_calls")
    assert result.startswith("é")
    assert len(result) < 3_000
    assert status == "finished"
    [(stop,)] = journal.select("SELECT stop FROM steps")
    assert stop == "calls"


def test_a_missing_or_changed_payload_is_said_plainly(journal: Journal) -> None:
    journal.append([Event(kind=Kind.CALL_FINISHED, run="r", body={"text": LONG})]).result()
    [path] = files(journal.folder)
    path.write_bytes(b"forged")
    with pytest.raises(StoreError, match="was changed on disk"):
        journal.events("r")
    path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        journal.events("r")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"{}")], ids=["removed", "changed"])
def test_a_payload_that_was_touched_does_not_pass_for_the_journal(
    journal: Journal, damage: Callable[[Path], object]
) -> None:
    journal.append([Event(kind=Kind.CALL_FINISHED, run="r", body={"text": "x" * 100_000})]).result(10)
    [payload] = [path for path in (journal.folder / "blobs").rglob("*") if path.is_file()]
    damage(payload)
    with pytest.raises(StoreError, match="Payload"):
        journal.verify()
