"""Owns what is put in the place of personal data in a text, and how it is put back; not whether a rule asks for it."""
