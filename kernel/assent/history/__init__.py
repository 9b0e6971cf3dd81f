"""The past of runs: what happened step by step, other ways to go on, runs side by side, again, and from a recording.

Owns what the journal tells of the past; it does not own how a run goes on, nor how the journal keeps it.
"""
