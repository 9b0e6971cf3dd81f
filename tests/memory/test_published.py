"""BM25 on a public collection: not behind what others have published for it."""

from statistics import mean

import pytest
from tests.support.collections import collection, ndcg

from assent.memory.bm25 import FILES, best, scored
from assent.memory.segment import build
from assent.memory.terms import keys


@pytest.mark.shared
def test_scifact_is_searched_as_well_as_by_others() -> None:
    """Anserini's BM25 comes to .679 (flat), BEIR's to .665."""
    scifact = collection("scifact")
    passages = [
        (number, keys(document["title"]), keys(document["text"])) for number, document in enumerate(scifact.documents)
    ]
    segment = build(passages)
    part = scored(segment, FILES, float(segment.lengths.mean()))
    figures = []
    for query in scifact.queries:
        found = best([part], keys(query["text"]), 10, len(segment), [None])
        names = [scifact.documents[number]["id"] for _, number in found]
        figures.append(ndcg(names, scifact.relevant[query["id"]]))
    assert len(figures) == 300
    assert mean(figures) >= 0.69
