"""How a file becomes passages that can be found: pure functions from its name and bytes to chunks.

Which files are read, when, and whether they have changed is not decided here.
"""
