"""Test collections of information retrieval: documents, queries, and which documents answer which query how well."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "memory" / "dev"


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows with `id` and `text`, documents also with a `title`; `relevant` gives a query's documents their grades."""

    documents: Sequence[Mapping[str, Any]]
    queries: Sequence[Mapping[str, Any]]
    relevant: Mapping[str, Mapping[str, float]]


def collection(name: str) -> Collection:
    """A collection by the name of its folder, with the queries that have an answer; skips the test where it is not."""
    folder = FOLDER / name
    if not folder.exists():
        pytest.skip(f"collections of documents are not part of the repository: no {name} beside it")
    relevant: dict[str, dict[str, float]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines():
        query, document, grade = line.split("\t")
        relevant[query][document] = float(grade)
    queries = [query for query in _rows(folder / "queries.jsonl") if query["id"] in relevant]
    return Collection(_rows(folder / "corpus.jsonl"), queries, relevant)


def ndcg(found: Sequence[str], relevant: Mapping[str, float], depth: int = 10) -> float:
    """Normalized discounted cumulative gain of a ranking, with the grades as gains (Järvelin and Kekäläinen, 2002)."""
    ideal = sorted(relevant.values(), reverse=True)
    return _gain([relevant.get(name, 0.0) for name in found[:depth]]) / _gain(ideal[:depth])


def _gain(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(place + 2) for place, grade in enumerate(grades))


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
