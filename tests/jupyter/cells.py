"""Cells that wait for a decision, as the tests send them. Each has opened a comm when it prints "waiting"."""

OPEN = """
import asyncio, threading, comm
from assent.jupyter.gate import GATE
channel = comm.create_comm(target_name="assent.test")
stock = []
channel.on_msg(stock.append)
"""
AWAITING = (
    OPEN
    + """
loop = asyncio.get_running_loop()
decided = loop.create_future()
def settle(content):
    loop.call_soon_threadsafe(decided.set_result, (content["verdict"], threading.current_thread().name))
GATE.open(channel.comm_id, settle)
print("waiting")
print("decided", *await decided, len(stock))
"""
)
BLOCKING = (
    OPEN
    + """
decided, heard = threading.Event(), []
def settle(content):
    heard.append((content["verdict"], threading.current_thread().name))
    decided.set()
GATE.open(channel.comm_id, settle)
print("waiting", flush=True)
print("decided", decided.wait(10), *heard[0], len(stock))
"""
)
DECISION = {"type": "decision", "verdict": "approve"}

# Printed from the loop, so that an interrupt finds the cell awaiting, not printing.
AT_WORK = "import asyncio, threading\nasyncio.get_running_loop().call_soon(print, 'at work')\n"
