"""Starting: what an import, the extension and one whole run cost, each in a process that does nothing else."""

from statistics import median

from bench.process import spend
from bench.report import Figure
from bench.sizes import Sizes

IMPORT = "import time; began = time.process_time(); import assent; print(time.process_time() - began)"

EXTENSION = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
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
    imported, extension, bare, floor, run = [], [], [], [], []
    for _ in range(sizes.starts):
        imported.append(float(spend("-c", IMPORT).printed) * 1e3)
        extension.append(float(spend("-c", EXTENSION).printed) * 1e3)
        bare.append(spend("-c", "pass").cpu)
        floor.append(spend("-c", FLOOR).cpu)
        run.append(spend("-c", RUN).cpu)
    return [
        Figure("import assent, CPU", median(imported), "ms", aim=80),
        Figure("%load_ext assent in a started shell, CPU", median(extension), "ms", aim=50),
        Figure("a process that does nothing, CPU from exec to exit", median(bare), "ms"),
        Figure("a process with one run of two turns, CPU from exec to exit", median(run), "ms", median(floor)),
    ]
