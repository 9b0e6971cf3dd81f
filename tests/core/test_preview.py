"""A preview as the journal keeps it."""

import json

from assent.core.preview import Preview, Table, from_json, to_json
from assent.core.secrets import remember

TABLE = Table("orders: rows removed", ("", "price"), (("5", None), ("6", "1.5")), 37)


def test_what_is_written_is_read_again() -> None:
    preview = Preview("copy", "Tried.", ("a: 1 → 2",), ("Unknown.",), (TABLE,), "printed")
    assert from_json(json.loads(json.dumps(to_json(preview)))) == preview
    assert from_json(to_json(Preview("none", "Not previewed."))) == Preview("none", "Not previewed.")


def test_it_is_bounded() -> None:
    long = "x" * 10_000
    table = Table(long, (long,) * 100, ((long,) * 100,) * 100, 100)
    kept = to_json(Preview("copy", long, (long,) * 500, (long,) * 500, (table,) * 50, long))
    assert len(json.dumps(kept)) < 64_000
    assert kept["effects"][-1] == "… and 471 more"
    assert to_json(from_json(kept)) == kept


def test_known_keys_are_hidden_before_a_cut_leaves_half_of_one() -> None:
    key = "sk-preview-core-0123456789"
    remember(key)
    table = Table(key, (key,), (("x" * 50 + key,),), 1)
    kept = json.dumps(to_json(Preview("copy", key, ("x" * 240 + key,), (key,), (table,), "x" * 3990 + key)))
    assert "sk-preview" not in kept
