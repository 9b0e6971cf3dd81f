import pytest

from assent.core.approval import Decided, Pending
from assent.core.events import Event, Kind
from assent_widgets.approval import decided_bundle
from assent_widgets.transcript import Transcript


@pytest.mark.slow
@pytest.mark.timeout(60)  # the imports count, too
def test_what_is_left_of_a_run_is_exported() -> None:
    """A notebook that is converted, or rendered where no widget lives, still tells what happened."""
    import nbformat
    from nbconvert.exporters import HTMLExporter, MarkdownExporter  # takes a second: not while tests are collected

    transcript = Transcript()
    transcript.apply(Event(kind=Kind.RUN_STARTED, run="run", agent="analyst"))
    transcript.apply(Event(kind=Kind.RUN_FINISHED, run="run", body={"text": "There are **42** <orders>."}))
    pending = Pending("run.1", "run", "analyst", "python", "execute_risky", {"code": "a < b"})
    bundles = [transcript.bundle(), decided_bundle(pending, Decided("reject", "ana", "not now"))]
    told = [transcript.metadata(), {}]
    outputs = [
        {"output_type": "display_data", "metadata": metadata, "data": bundle}
        for bundle, metadata in zip(bundles, told, strict=True)
    ]
    cell = {"cell_type": "code", "id": "a", "source": "", "metadata": {}, "execution_count": 1, "outputs": outputs}
    notebook = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})  # type: ignore[no-untyped-call]  # not typed
    nbformat.validate(notebook)
    html, _ = HTMLExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]  # not typed
    assert "There are <strong>42</strong> &lt;orders&gt;." in html
    assert "rejected by ana" in html
    assert "a &lt; b</pre>" in html
    markdown, _ = MarkdownExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]  # not typed
    assert "not now" in markdown
