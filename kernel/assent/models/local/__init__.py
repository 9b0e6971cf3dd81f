"""Owns the model in this process: its weights and how they get here, its engine, the JSON that it is held to.

It does not own what a name means (`models.resolve`), nor HTTP to model servers.
"""
