"""Which front end this is: without a kernel here, with one in test_frontend_live.py."""

import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from assent.jupyter.frontend import Provenance, provenance

SHOW = "from assent.jupyter.frontend import provenance, way_to_ask; print(provenance(), 'way', way_to_ask())"


def test_a_script_has_no_notebook_and_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert provenance() == Provenance(None, None)


def test_a_notebook_named_by_the_server_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "reports/penguins.ipynb")
    assert provenance() == Provenance("reports/penguins.ipynb", None)


def test_without_a_terminal_nobody_can_be_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("way none")


@pytest.mark.parametrize(
    "command", [["-c"], ["-m", "IPython", "--no-banner", "--quick", "-c"]], ids=["python", "ipython"]
)
def test_a_terminal_can_be_asked(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    output = pexpect.run(f'{sys.executable} {" ".join(command)} "{SHOW}"', encoding="utf-8", timeout=15)
    assert "way terminal" in output


def test_asking_does_not_import_ipython() -> None:
    code = f"import sys; {SHOW}; print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")
