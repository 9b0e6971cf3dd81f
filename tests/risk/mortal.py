"""Code outside any run that reserves, acts and commits, until it is killed."""

BEGIN = """
import os, threading
from pathlib import Path
from assent.core.errors import GateError
from assent.risk import daily_volume, rate
from assent.risk.reserve import check_and_reserve, commit
from assent.store.access import EVERYONE
from assent.store.journal import Journal
from assent.store.window import Window
window = Window(Journal(Path(folder) / "workspace"), EVERYONE, "default", "ana")
checks = (daily_volume("amount", 300), rate(10_000, 3_600))
effects = os.open(Path(folder) / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def work():
    while True:
        try:
            held = check_and_reserve(window, "swap", checks, {"amount": "1"}, {})
        except GateError:
            return
        os.write(effects, f"{held.id}\\n".encode())
        commit(window, held)
threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
for thread in threads: thread.start()
"""
