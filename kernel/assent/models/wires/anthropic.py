"""Placeholder of the anthropic format."""

from assent.models.wires import chat

WIRE = chat.WIRE
