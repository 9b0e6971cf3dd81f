"""BM25 on a public collection: not behind what others have published for it."""

from statistics import mean

import pytest
from tests.support.collections import collection, ndcg

from assent.memory.bm25 import FILES, best, scored
from assent.memory.segment import Passage, build
from assent.memory.terms import query, terms


@pytest.mark.shared
def test_scifact_is_searched_as_well_as_by_others() -> None:
    """Anserini's BM25 comes to .679 (flat), BEIR's to .665."""
    scifact = collection("scifact")
    passages = [
        Passage(number, terms(document["title"]), terms(document["text"]))
        for number, document in enumerate(scifact.documents)
    ]
    segment = build(passages)
    part = scored(segment, FILES, float(segment.lengths.mean()))
    figures = []
    for asked in scifact.queries:
        found = best([part], query(asked["text"]), 10, len(segment), [None])
        names = [scifact.documents[number]["id"] for _, number in found]
        figures.append(ndcg(names, scifact.relevant[asked["id"]]))
    assert len(figures) == 300
    assert mean(figures) >= 0.69
