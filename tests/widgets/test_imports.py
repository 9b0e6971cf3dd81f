import subprocess
import sys


def test_rendering_needs_no_widget_library() -> None:
    """anywidget costs 0.2 s at import, which a run that shows nothing must not pay."""
    code = (
        "import sys, assent_widgets.transcript, assent_widgets.approval;"
        "print([name for name in ('anywidget', 'ipywidgets', 'IPython', 'traitlets') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
