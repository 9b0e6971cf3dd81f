"""Where in the words of a model the JSON of its answer may be."""

import json

_TRIES = 50  # places in a text with words around it where the answer may be
_DECODER = json.JSONDecoder()


def candidates(text: str, wrapped: str) -> list[list[str]]:
    """What may be the answer, each in one or two spellings: the text, else what is fenced, else objects among words."""
    if whole := _spellings(text, wrapped):
        return [whole]
    insides = [part.partition("\n")[2] for part in text.split("```")[1::2][-_TRIES:]]
    fenced = [_spellings(inside.strip(), wrapped) for inside in insides]
    return [item for item in fenced if item] or [[text[start:end]] for start, end in _objects(text)]


def _spellings(text: str, key: str) -> list[str]:
    """The text, if it is JSON, and the text under the key, which a model may have left out."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not key:
        return [text]
    under = f'{{"{key}": {text}}}'
    return [text, under] if isinstance(value, dict) and key in value else [under]


def _objects(text: str) -> list[tuple[int, int]]:
    """Where the objects among words begin and end; none after one that is cut off, or its parts would pass for it."""
    spans, at = [], text.find("{")
    for _ in range(_TRIES):
        if at < 0:
            break
        try:
            _, end = _DECODER.raw_decode(text, at)
            spans.append((at, end))
        except json.JSONDecodeError as error:
            if error.pos >= len(text) or error.msg.startswith("Unterminated"):
                break
            end = at + 1
        except RecursionError:
            break
        at = text.find("{", end)
    return spans
