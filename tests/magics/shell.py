"""An IPython shell as a test uses it: cells in, results and what was shown out."""

from typing import Any

from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output

from assent_magics.desk import Desk


class Shell:
    """Runs cells. `shown` is all that the last one printed and displayed, as text."""

    def __init__(self, ipython: InteractiveShell) -> None:
        self.ipython = ipython
        self.shown = ""

    @property
    def namespace(self) -> dict[str, Any]:
        names: dict[str, Any] = self.ipython.user_ns
        return names

    @property
    def desk(self) -> Desk:
        loaded: tuple[Desk, Any, Any, Any] = self.ipython._assent_loaded  # type: ignore[attr-defined]  # set by extension
        return loaded[0]

    def run(self, cell: str) -> Any:
        """Run a cell that must succeed; its value."""
        result = self._run(cell)
        assert result.success, self.shown
        return result.result

    def fail(self, cell: str, *, lines: bool = False) -> str:
        """Run a cell that must fail by one line (or `lines`) without a traceback; what it says."""
        result = self._run(cell)
        assert not result.success
        assert "Traceback" not in self.shown, self.shown
        error = result.error_in_exec or result.error_before_exec
        assert str(error) in self.shown
        assert lines or "\n" not in str(error).strip()
        return str(error)

    def _run(self, cell: str) -> ExecutionResult:
        with capture_output() as captured:
            result: ExecutionResult = self.ipython.run_cell(cell)
        displayed = [output.data.get("text/plain", "") for output in captured.outputs]
        self.shown = "\n".join([captured.stdout, captured.stderr, *displayed])
        return result
