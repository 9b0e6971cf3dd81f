"""What goes around a model: cache, fallback, retry, circuit breaker, limits, each a function from models to a model.

Does not know of vendors, wire formats or runs.
"""
