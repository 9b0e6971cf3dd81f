"""Starting: what an import, the extension and one whole run cost, each in a process that does nothing else."""

from statistics import median

from bench.process import spend
from bench.report import Figure
from bench.sizes import Sizes

IMPORT = "import time; began = time.process_time(); import assent; print(time.process_time() - began)"

EXTENSION = """
import sys, time
if sys.argv[1] == "kernel":
    from ipykernel.zmqshell import ZMQInteractiveShell as Shell
else:
    from IPython.terminal.interactiveshell import TerminalInteractiveShell as Shell
shell = Shell.instance()
shell.run_cell("None")
began = time.process_time()
shell.run_line_magic("load_ext", "assent")
print(time.process_time() - began)
"""

FLOOR = """
import asyncio
from bench import floor
print(asyncio.run(floor.loop(floor.scripted(1))))
"""

RUN = """
import asyncio
from bench import ours
with ours.session(ours.Script(1)) as session:
    print(asyncio.run(ours.run(session, ours.agent(1))).text)
"""


def measure(sizes: Sizes) -> list[Figure]:
    """CPU time in ms, medians."""
    nothing = _cpu("pass", sizes)
    return [
        Figure("import assent, CPU", _printed(IMPORT, sizes), "ms", aim=80),
        Figure("%load_ext assent in a kernel's shell, CPU", _printed(EXTENSION, sizes, "kernel"), "ms", aim=50),
        Figure("%load_ext assent in a terminal's shell, CPU", _printed(EXTENSION, sizes, "terminal"), "ms", aim=50),
        Figure("a process that does nothing, CPU from exec to exit", nothing, "ms"),
        Figure(
            "a process with one run of two turns, CPU from exec to exit", _cpu(RUN, sizes), "ms", _cpu(FLOOR, sizes)
        ),
    ]


def _printed(code: str, sizes: Sizes, *arguments: str) -> float:
    """The seconds that `code` prints, as ms."""
    return median(float(spend("-c", code, *arguments).printed) for _ in range(sizes.starts)) * 1e3


def _cpu(code: str, sizes: Sizes) -> float:
    return median(spend("-c", code).cpu for _ in range(sizes.starts))
