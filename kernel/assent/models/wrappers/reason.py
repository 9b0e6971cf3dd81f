"""What a `ModelError` says, taken apart: what happened, and what to do about it."""

from assent.core.errors import ModelError


def happened(error: Exception) -> str:
    """The part of an error's sentence before "what to do": for notices, since Assent is already doing something."""
    text = str(error)
    return text.rpartition(": ")[0] or text.rstrip(".")


def adding(error: ModelError, words: str) -> ModelError:
    """The same error with `words` at the end of what happened."""
    event, colon, remedy = str(error).rpartition(": ")
    text = f"{event}, {words}: {remedy}" if colon else f"{remedy.rstrip('.')} ({words})."
    return ModelError(text, status=error.status, retryable=error.retryable, retry_after=error.retry_after)
