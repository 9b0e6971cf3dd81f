"""What becomes of effects when a run is killed by kill -9 and taken up again: Assent beside LangGraph's SQLite saver.

LangGraph is measured where `make peers` has installed it; it is nothing that Assent needs.
"""

from collections.abc import Mapping

from bench.doom import MOMENTS
from bench.process import ROOT, ask
from bench.report import Figure
from bench.sizes import Sizes

Sums = Mapping[str, float]

PEERS = ROOT / "artifacts" / "peers" / "bin" / "python"


def measure(sizes: Sizes) -> list[Figure]:
    """Effects repeated without a word, effects lost, questions asked; the floor is LangGraph, as by default."""
    if not PEERS.exists():
        print("LangGraph is not here to compare with: `make peers` installs it.")
    ours = ask("-m", "bench.crash_ours", str(sizes.kills))
    theirs, safest = _langgraph(sizes.kills), _langgraph(sizes.kills, "sync")
    found = [
        _killed(f"killed {sizes.kills} times {moment}", ours[moment], theirs.get(moment, {}), safest.get(moment, {}))
        for moment in MOMENTS
    ]
    return [figure for figures in found for figure in figures]


def _killed(name: str, ours: Sums, theirs: Sums, safest: Sums) -> list[Figure]:
    return [
        Figure(f"{name}: repeated", ours["repeated"], "effects", theirs.get("repeated"), aim=0),
        Figure("the same, its checkpoints written at once", ours["repeated"], "effects", safest.get("repeated"), aim=0),
        Figure("lost", ours["lost"], "effects", theirs.get("lost"), aim=0),
        Figure("without an end", ours["unfinished"], "runs", theirs.get("unfinished"), aim=0),
        Figure("asked what became of a call", ours["asked"], "times", theirs.get("asked")),
    ]


def _langgraph(kills: int, *how: str) -> dict[str, Sums]:
    return ask("-m", "bench.crash_langgraph", str(kills), *how, python=PEERS) if PEERS.exists() else {}
