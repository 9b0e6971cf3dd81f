"""The past of runs: what happened step by step, other ways to go on from any step, two runs side by side.

Owns what the journal tells of the past; it does not own how a run goes on, nor how the journal keeps it.
"""
