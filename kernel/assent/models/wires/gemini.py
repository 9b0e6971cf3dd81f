"""Placeholder of the gemini format."""

from assent.models.wires import chat

WIRE = chat.WIRE
