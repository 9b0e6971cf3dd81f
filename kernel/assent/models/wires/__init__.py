"""The wire formats: a request to bytes, an answer's JSON to deltas.

Does not know of connections, keys, retries or prices.
"""
