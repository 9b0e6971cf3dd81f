"""The Jupyter kernel: its class, the gate for decisions, interrupts, prompts, the front end, installing and examining.

Owns the wire protocol's edge; it does not own magics, widgets or anything that happens in a run.
"""
