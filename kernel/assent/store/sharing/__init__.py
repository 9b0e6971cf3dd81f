"""Several processes on one workspace: who holds the database, how the others reach it, and what happens if one dies.

Owns the way to the database and nothing that is in it; `store.ledger` does the work at the other end.
"""
