"""The life of a run: state as a fold, one step, the loop, the wait for a person, suspending and resuming.

Owns the order in which things happen; it does not own what a decision says, what a tool does or how a model speaks.
"""
