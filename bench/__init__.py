"""How fast Assent is, measured beside a hand-written loop in the same run.

Owns the measurements and their table; it does not own what is measured, and no test asserts a time.
"""
