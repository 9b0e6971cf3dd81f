"""What is left of an event of each kind when what was said in it is forgotten."""

import json
from pathlib import Path
from typing import Any

import pytest

from assent.core.events import Kind
from assent.store import blobs
from assent.store.forget import GONE, KEPT, forgotten
from assent.store.rows import digest_of, encoded

SECRET = "the merger with Umbrella"
MESSAGE = {
    "role": "assistant",
    "parts": [
        {"kind": "reasoning", "text": SECRET, "extra": {"signature": SECRET}},
        {"kind": "text", "text": SECRET},
        {"kind": "call", "id": "c1", "name": "sql", "arguments": json.dumps({"query": SECRET}), "extra": SECRET},
    ],
}
CASES: dict[Kind, tuple[dict[str, Any], dict[str, Any]]] = {
    Kind.CELL_RAN: (
        {"source": SECRET, "digest": "d", "count": [3]}, {"source": GONE, "digest": "d", "count": [3]},
    ),
    Kind.RUN_STARTED: (
        {
            "prompt": SECRET, "agent": {"name": "ada"}, "images": [{"digest": SECRET}],
            "fork": {"run": "q", "at": 2, "prompt": SECRET, "edit": {"call": "r.1", "arguments": {"x": SECRET}}},
        },
        {
            "prompt": GONE, "agent": {"name": "ada"},
            "fork": {"run": "q", "at": 2, "prompt": GONE, "edit": {"call": "r.1", "arguments": {}}},
        },
    ),
    Kind.MODEL_ANSWERED: (
        {"message": MESSAGE, "stop": "calls", "cache_write": 7, "saved": "0.1"},
        {
            "message": {
                "role": "assistant",
                "parts": [
                    {"kind": "text", "text": GONE}, {"kind": "call", "id": "c1", "name": "sql", "arguments": "{}"},
                ],
            },
            "stop": "calls", "cache_write": 7, "saved": "0.1",
        },
    ),
    Kind.ANSWER_REFUSED: ({"text": SECRET}, {"text": GONE}),
    Kind.CALL_DECIDED: (
        {
            "arguments": {"to": SECRET}, "reason": "a dry run", "dry": "ask", "preview": {"effects": [SECRET]},
            "why": SECRET, "gets": {"to": SECRET}, "bound": "b0",
        },
        {"arguments": {}, "reason": "a dry run", "dry": "ask", "bound": "b0"},
    ),
    Kind.CALL_STARTED: ({"arguments": {"to": SECRET}, "gets": {"to": SECRET}}, {"arguments": {}}),
    Kind.CALL_FINISHED: (
        {
            "text": SECRET, "error": False, "display": {"rows": [[SECRET]]},
            "proposals": [{"tool": "mail", "arguments": {"to": SECRET}, "why": SECRET}],
        },
        {"text": GONE, "error": False, "proposals": [{"tool": "mail", "arguments": {}, "why": GONE}]},
    ),
    Kind.RUN_SUSPENDED: ({"reason": "nobody answered"}, {"reason": "nobody answered"}),
    Kind.RUN_PAUSED: ({"reason": "r", "by": "ana", "partial": SECRET}, {"reason": "r", "by": "ana", "partial": GONE}),
    Kind.RUN_FINISHED: ({"text": SECRET}, {"text": GONE}),
    Kind.RUN_CANCELLED: ({"reason": "stopped", "partial": SECRET}, {"reason": "stopped", "partial": GONE}),
    Kind.RUN_FAILED: ({"error": "no model"}, {"error": "no model"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_what_was_said_is_gone_and_the_shape_is_there(tmp_path: Path, kind: Kind) -> None:
    body, left = CASES[kind]
    text = encoded(body)
    kept = forgotten(kind, text, tmp_path)
    assert SECRET not in kept
    assert json.loads(kept) == left | {"forgotten": digest_of(text)}
    assert digest_of(kept) == digest_of(text)


def test_of_every_kind_it_is_decided_whether_something_is_forgotten() -> None:
    assert set(CASES) | KEPT == set(Kind)
    assert set(CASES) & KEPT == set()


def test_of_a_body_that_was_set_aside_the_shape_is_that_of_the_whole(tmp_path: Path) -> None:
    body, left = CASES[Kind.MODEL_ANSWERED]
    name = blobs.put(tmp_path, encoded(body).encode())
    excerpt = encoded({"stop": "calls", "blob": name, "bytes": 900})
    assert json.loads(forgotten(Kind.MODEL_ANSWERED, excerpt, tmp_path)) == left | {"forgotten": digest_of(excerpt)}


def test_of_a_body_whose_payload_is_lost_the_excerpt_is_all_there_is(tmp_path: Path) -> None:
    excerpt = encoded({"stop": "calls", "blob": "0" * 64, "bytes": 900})
    kept = json.loads(forgotten(Kind.MODEL_ANSWERED, excerpt, tmp_path))
    assert kept["message"] == {"role": "assistant", "parts": []}
    assert kept["stop"] == "calls"
