"""Loading and unloading leave a shell as it was."""

from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from tests.magics.scripts import script
from tests.magics.shell import Shell


def traces(ipython: InteractiveShell) -> list[Any]:
    """Everything of a shell that the extension touches."""
    magics = ipython.magics_manager.magics
    return [
        sorted(name for kind in magics.values() for name in kind if "agent" in name),
        list(ipython.input_transformers_cleanup),
        list(ipython.input_transformers_post),
        list(ipython.configurables),
        [list(callbacks) for callbacks in ipython.events.callbacks.values()],
        list(ipython.Completer.custom_matchers) if ipython.Completer else [],
        hasattr(ipython, "_assent_loaded"),
    ]


def test_unloading_takes_everything_away(shell: Shell) -> None:
    shell.run("%load_ext assent")  # there already; but IPython now has its own magics for this
    loaded = traces(shell.ipython)
    shell.run("%unload_ext assent")
    without = traces(shell.ipython)
    assert without[0] == []
    shell.run("%load_ext assent")
    again = traces(shell.ipython)
    assert [len(item) for item in again[:6]] == [len(item) for item in loaded[:6]]
    shell.run("%unload_ext assent")
    assert traces(shell.ipython) == without


def test_loading_twice_changes_nothing(shell: Shell) -> None:
    loaded = traces(shell.ipython)
    shell.run("from assent import load_ipython_extension\nload_ipython_extension(get_ipython())")
    assert traces(shell.ipython) == loaded


def test_reloading_keeps_the_workspace_and_lets_go_of_its_file(shell: Shell, tmp_path: Path) -> None:
    model = script(tmp_path, "Yes.")
    shell.run(f"%%agent --model {model}\nIs it?")
    shell.run("%reload_ext assent")
    assert shell.run("%agent runs")["outcome"].tolist() == ["Yes."]


def test_loading_imports_nothing_heavy(shell: Shell, tmp_path: Path) -> None:
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell as S; "
        "shell = S.instance(); before = set(sys.modules); shell.run_line_magic('load_ext', 'assent'); "
        "print(sorted({n.partition('.')[0] for n in set(sys.modules) - before}))"
    )
    printed = shell.run(f"import subprocess, sys\nsubprocess.check_output([sys.executable, '-c', {code!r}], text=True)")
    heavy = {"duckdb", "pandas", "pydantic", "anywidget", "ipywidgets", "httpx", "aiohttp", "assent.app"}
    assert "assent_magics" in printed
    assert not heavy & set(printed.strip("[]\n").replace("'", "").split(", "))
