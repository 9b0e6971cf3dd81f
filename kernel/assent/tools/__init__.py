"""Tools: typed functions that an agent may call, the built-in ones, and the one function that runs them.

Owns how a call is validated, executed and reported; it does not own whether it may run.
"""
