"""Entry points outside a notebook: the command line.

Owns how a command is read and its outcome printed; it does not own what the command does.
"""
