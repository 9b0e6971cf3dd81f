"""The Gemini generateContent format: answers, streamed or whole.

Source: https://ai.google.dev/api/generate-content
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assent.core.messages import Reasoning, Text, ToolCall
from assent.core.model import Delta, Usage
from assent.models.endpoints import Endpoint
from assent.models.wires.draft import Draft
from assent.models.wires.wire import Broken, tokens

SIGNATURE = "thoughtSignature"

FILTERED = frozenset({
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
})  # fmt: skip

# Reasons to stop that leave no answer; another try often gives one.
FAILED = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"})

# Reasons that are ours to mend: the very same request fails again.
REFUSED = frozenset({"MISSING_THOUGHT_SIGNATURE"})


def absorb(draft: Draft, chunk: Any, endpoint: Endpoint) -> Iterator[Delta]:
    """Add one chunk, a whole unstreamed answer or a list of chunks to the draft; what is new."""
    if isinstance(chunk, list):  # a proxy that drops `alt=sse` gets the stream as one list
        for item in chunk:
            yield from absorb(draft, item, endpoint)
        return
    if error := chunk.get("error"):
        raise Broken(error)
    if isinstance(version := chunk.get("modelVersion"), str):
        draft.model = version or draft.model
    if usage := chunk.get("usageMetadata"):
        draft.usage = read_usage(usage)
    candidates = chunk.get("candidates") or ()
    if not candidates and (reason := (chunk.get("promptFeedback") or {}).get("blockReason")):
        raise Broken({"code": 400, "message": f"the question was blocked ({reason})"})
    for candidate in candidates[:1]:
        for part in (candidate.get("content") or {}).get("parts") or ():
            yield from _absorb_part(draft, part)
        draft.stop = _stop(candidate) or draft.stop


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Tokens as Gemini counts them: thoughts beside the answer, what built-in tools read beside the prompt."""
    read = _sum(usage, "promptTokenCount", "toolUsePromptTokenCount")
    written = _sum(usage, "candidatesTokenCount", "thoughtsTokenCount")
    return Usage(
        input=read,
        output=0 if written is None and read is not None else written,  # protocol buffers leave zeros out
        cached=tokens(usage.get("cachedContentTokenCount")),
        reasoning=tokens(usage.get("thoughtsTokenCount")),
    )


def _sum(usage: Mapping[str, Any], *names: str) -> int | None:
    known = [count for name in names if (count := tokens(usage.get(name))) is not None]
    return sum(known) if known else None


def _stop(candidate: Mapping[str, Any]) -> str:
    """Why the answer ended, "" while it has not."""
    reason = candidate.get("finishReason") or "FINISH_REASON_UNSPECIFIED"
    if reason in FAILED or reason in REFUSED:
        said = candidate.get("finishMessage")
        code = {"code": 400} if reason in REFUSED else {}
        raise Broken({**code, "message": f"it ended with {reason}" + (f": {said}" if said else "")})
    if reason in FILTERED:
        return "filter"
    return {"MAX_TOKENS": "length", "FINISH_REASON_UNSPECIFIED": ""}.get(reason, "stop")


def _absorb_part(draft: Draft, part: Mapping[str, Any]) -> Iterator[Delta]:
    """Code that ran at the vendor's, pictures and files are left out: nobody asked for them."""
    signature = part.get(SIGNATURE) or ""
    if (call := part.get("functionCall")) is not None:
        yield from _absorb_call(draft, call, signature)
    elif "text" in part or part.keys() <= {"thought", SIGNATURE}:
        text = part.get("text") or ""
        if not isinstance(text, str):
            raise TypeError("words that are no text")
        yield from _absorb_words(draft, Reasoning if part.get("thought") else Text, text, signature)


def _absorb_words(draft: Draft, kind: type[Text] | type[Reasoning], words: str, signature: str) -> Iterator[Delta]:
    """Words join the piece before them, but a signature stays with the very words it came with.

    Streamed, it may come alone once the words are there; then it is theirs.
    Source: https://ai.google.dev/gemini-api/docs/thought-signatures
    """
    if not words and not signature:
        return
    key = len(draft.pieces)
    if draft.pieces and not (words and signature):
        last = draft.pieces[-1]
        key -= last.kind is kind and SIGNATURE not in last.extra
    yield from (draft.text if kind is Text else draft.reasoning)(words, key)
    if signature:
        draft.piece(kind, key).extra[SIGNATURE] = signature


def _absorb_call(draft: Draft, call: Mapping[str, Any], signature: str) -> Iterator[Delta]:
    """A call, which always comes whole. An id is rare, so what Gemini gave is told from what was made up later."""
    key, name, given = draft.calls, str(call.get("name") or ""), str(call.get("id") or "")
    arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
    yield from draft.call(key, arguments, id=given, name=name)
    if draft.output and name == draft.output:  # becomes text, which must not bear a call's signature
        return
    wanted = {"id": given, SIGNATURE: signature}
    draft.piece(ToolCall, key).extra.update({name: value for name, value in wanted.items() if value})
