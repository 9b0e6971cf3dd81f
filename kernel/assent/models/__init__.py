"""Models: wire formats, the table of vendors, the embedded local model, prices.

Owns everything between a `Request` and an `Answer`; it does not own what is asked, nor what becomes of the answer.
"""
