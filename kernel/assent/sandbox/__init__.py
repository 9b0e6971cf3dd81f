"""Code away from the notebook: a copy of this process that can compute and read, and can act on nothing.

Does not own what is run there or what becomes of its report: callers bring a function and read plain values.
"""
