"""Placeholder of the responses format."""

from assent.models.wires import chat

WIRE = chat.WIRE
