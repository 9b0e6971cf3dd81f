"""The gate: what may run, what asks, what is denied.

Owns the decision and nothing of its consequences: it reads no file and no clock, and asks nobody.
"""
