"""Loading and unloading: magics, the transformer, completion, `%config Assent`."""

from typing import Any

from assent_magics.complete import matcher
from assent_magics.desk import Desk
from assent_magics.magic import AgentMagics
from assent_magics.transform import AWAITED, NAME, AwaitAgents, keep_question_marks

_LOADED = "_assent_loaded"


def load(shell: Any) -> None:
    """Register everything with an IPython shell; without effect if it is there already."""
    if hasattr(shell, _LOADED):
        return
    if not hasattr(shell, "_last_traceback"):
        shell._last_traceback = None  # ipykernel sets it in cells without await only, and without it answers no error
    desk, transformer = Desk(shell), AwaitAgents(lambda: bool(shell.autoawait))
    completer = matcher(desk)
    magics = AgentMagics(shell, desk)
    shell.register_magics(magics)
    shell.input_transformers_cleanup.append(keep_question_marks)
    shell.input_transformers_post.append(transformer)
    shell.events.register("pre_execute", transformer.begin)
    shell.events.register("post_execute", transformer.end)
    shell.events.register("pre_run_cell", desk.cells.begin)
    shell.events.register("post_run_cell", desk.cells.end)
    shell.configurables.append(desk.settings)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(completer)
    setattr(shell, _LOADED, (desk, transformer, completer, magics))


def unload(shell: Any) -> None:
    """Take everything away again and close the workspace."""
    if not hasattr(shell, _LOADED):
        return
    desk, transformer, completer, magics = getattr(shell, _LOADED)
    delattr(shell, _LOADED)
    for kind in ("line", "cell"):
        for name in (NAME, AWAITED):
            shell.magics_manager.magics[kind].pop(name, None)
    shell.magics_manager.registry.pop(type(magics).__name__, None)
    shell.configurables.remove(magics)  # where IPython put it
    shell.input_transformers_cleanup.remove(keep_question_marks)
    shell.input_transformers_post.remove(transformer)
    shell.events.unregister("pre_execute", transformer.begin)
    shell.events.unregister("post_execute", transformer.end)
    shell.events.unregister("pre_run_cell", desk.cells.begin)
    shell.events.unregister("post_run_cell", desk.cells.end)
    shell.configurables.remove(desk.settings)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.remove(completer)
    desk.close()
