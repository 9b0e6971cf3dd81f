"""The gate: what may run, what asks, what is denied, and the files in which people say so.

Owns the decision and nothing of its consequences: a decision reads no file's text and no clock, and asks nobody.
"""
