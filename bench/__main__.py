"""`python -m bench [NAME ...] [--quick]`: measure, print a table, write artifacts/bench.json."""

import argparse
import importlib

from bench.process import ROOT
from bench.report import Figure, machine, table, write
from bench.sizes import FULL, QUICK

NAMES = (
    "steps", "growth", "parallel", "agents", "throughput", "limits", "cold", "views", "long", "sharing", "crash",
    "policy", "risk", "budget", "egress", "masks", "preview",
)  # fmt: skip
RESULTS = ROOT / "artifacts" / "bench.json"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Assent beside a hand-written loop.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a first look")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(", ".join(f"{name} {value}" for name, value in machine().items()), flush=True)
    figures: list[Figure] = []
    for name in options.names or NAMES:
        found = importlib.import_module(f"bench.{name}").measure(QUICK if options.quick else FULL)
        print(f"\n{table(found)}", flush=True)
        figures += found
    write(RESULTS, figures)


if __name__ == "__main__":
    main()
