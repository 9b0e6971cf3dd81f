"""What one writes in a notebook: a small face, and a light one."""

import subprocess
import sys

import assent.risk

FACE = [
    "Act", "Check", "Finding", "NothingDone", "ask", "blacklist", "cool_down", "daily_volume", "deny", "max_amount",
    "min_liquidity", "ok", "own", "rate", "slippage",
]  # fmt: skip


def test_the_public_face() -> None:
    assert assent.risk.__all__ == FACE
    assert all(hasattr(assent.risk, name) for name in FACE)


def test_a_check_needs_neither_the_database_nor_pydantic_to_be_made() -> None:
    code = "import sys, assent.risk; assent.risk.rate(1, 60); print({'duckdb', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
