"""The Jupyter kernel: the kernel class, the gate for decisions, prompts on stdin, what the front end is.

Owns the wire protocol's edge; it does not own magics, widgets or anything that happens in a run.
"""
