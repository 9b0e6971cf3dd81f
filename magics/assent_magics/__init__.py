"""`%agent` and `%%agent`: parse a cell, hand it to the session, show the stream.

Owns the words a person types in a notebook and where the answers appear; it does not own runs, decisions or rendering.
"""
