"""What a person sees of a run: the approval card, the transcript, tables.

Owns rendering and widgets; it does not own decisions or runs: it turns the core's values into something to look at and
clicks into messages. Only `card` and `live` need anywidget; everything else is pure Python.
"""
