"""What becomes of effects when a run is killed by kill -9 and taken up again: Assent beside LangGraph's SQLite saver.

LangGraph is measured where `make peers` has installed it; it is nothing that Assent needs.
"""

from bench.doom import MOMENTS
from bench.process import ROOT, ask
from bench.report import Figure
from bench.sizes import Sizes

PEERS = ROOT / "artifacts" / "peers" / "bin" / "python"


def measure(sizes: Sizes) -> list[Figure]:
    """Effects repeated without a word, effects lost, questions asked; the floor is LangGraph, as by default."""
    if not PEERS.exists():
        print("LangGraph is not here to compare with: `make peers` installs it.")
    return [figure for moment in MOMENTS for figure in _killed(moment, sizes.kills)]


def _killed(moment: str, kills: int) -> list[Figure]:
    ours = ask("-m", "bench.crash_ours", moment, str(kills))
    theirs, safest = _langgraph(moment, kills), _langgraph(moment, kills, "sync")
    name = f"killed {kills} times {moment}"
    return [
        Figure(f"{name}: effects repeated", ours["repeated"], "", theirs.get("repeated"), aim=0),
        Figure("the same, its checkpoints written at once", ours["repeated"], "", safest.get("repeated"), aim=0),
        Figure("effects lost", ours["lost"], "", theirs.get("lost"), aim=0),
        Figure("runs that came to no end", ours["unfinished"], "", theirs.get("unfinished"), aim=0),
        Figure("questions what became of a call", ours["asked"], "", theirs.get("asked")),
    ]


def _langgraph(moment: str, kills: int, *how: str) -> dict[str, float]:
    return ask("-m", "bench.crash_langgraph", moment, str(kills), *how, python=PEERS) if PEERS.exists() else {}
