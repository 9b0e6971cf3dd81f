"""Scripts for the scripted model, as files that a `--model` option can name."""

import json
from pathlib import Path
from typing import Any

Part = dict[str, Any]
Turn = str | list[Part]


def text(words: str) -> Part:
    return {"kind": "text", "text": words}


def call(tool: str, **arguments: Any) -> Part:
    """A proposed call; the loop gives it an id of its own."""
    return {"kind": "call", "id": "", "name": tool, "arguments": json.dumps(arguments)}


def script(folder: Path, *turns: Turn, name: str = "script") -> str:
    """Write a script and give the model's name for it."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(turns), "utf-8")
    return f"scripted:{path}"


def asks(code: str, why: str = "It must be computed.") -> list[Part]:
    """A turn that wants to run Python, which asks."""
    return [text(why), call("python", code=code)]
