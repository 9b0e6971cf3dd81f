"""Inline styles of static HTML.

JupyterLab's sanitiser drops `var()` and `color-mix()` from notebooks it does not trust, and GitHub drops all styles.
So colours are translucent greys and middle tones that read on light and dark ground, and nothing depends on them.
"""

RED = "#d3382f"
GREEN = "#2c8a3f"
BLUE = "#1f77d0"
AMBER = "#a86a00"

FRAME = "max-width:960px;line-height:1.5;text-align:left"
MUTED = "opacity:0.7"
SMALL = "font-size:85%;opacity:0.75"
HEAD = (
    "font-size:85%;padding:0 0 6px 0;margin:0 0 8px 0;border-bottom-width:1px;border-bottom-style:solid;"
    "border-bottom-color:rgba(127, 127, 127, 0.3)"
)
STEP = (
    "margin:8px 0;padding:2px 0 2px 12px;border-left-width:3px;border-left-style:solid;"
    "border-left-color:rgba(127, 127, 127, 0.3)"
)
PRE = (
    "background-color:rgba(127, 127, 127, 0.12);padding:8px 10px;margin:4px 0;border-radius:4px;"
    "white-space:pre-wrap;overflow-wrap:break-word;font-size:90%;line-height:1.45;text-align:left"
)
OUTPUT = (
    "background-color:transparent;padding:2px 10px;margin:4px 0;border-left-width:2px;border-left-style:solid;"
    "border-left-color:rgba(127, 127, 127, 0.3);white-space:pre-wrap;overflow-wrap:break-word;font-size:90%;"
    "line-height:1.45;text-align:left"
)
ERROR_PRE = (
    "background-color:rgba(211, 56, 47, 0.12);padding:8px 10px;margin:4px 0;border-radius:4px;"
    "white-space:pre-wrap;overflow-wrap:break-word;font-size:90%;line-height:1.45;text-align:left"
)
ANSWER = "font-size:108%;margin:12px 0 4px 0"
REASONING = "white-space:pre-wrap;overflow-wrap:break-word;opacity:0.75;font-size:90%;margin:4px 0 4px 12px"
_NOTE = (
    "margin:10px 0;padding:8px 12px;border-radius:4px;background-color:rgba(127, 127, 127, 0.12);"
    "border-left-width:4px;border-left-style:solid;border-left-color:{colour}"
)


def badge(text: str, colour: str) -> str:
    """A short, coloured, already escaped word."""
    return f'<span style="color:{colour};font-weight:600">{text}</span>'


def note(body: str, colour: str) -> str:
    """A box for already escaped words that must not be missed."""
    return f'<div style="{_NOTE.format(colour=colour)}">{body}</div>'


def pre(text: str, style: str = PRE) -> str:
    """A block of already escaped code or output."""
    return f'<pre style="{style}">{text}</pre>'
