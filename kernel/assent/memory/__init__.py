"""What agents remember, and how it is found: terms, postings, vectors, scores.

Where it is kept, in which transaction, is the store's business; who may remember and forget, the gate's.
"""
