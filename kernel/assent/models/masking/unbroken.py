"""A stream of text in which a placeholder never comes in two pieces."""

from dataclasses import dataclass

_LONGEST = 43  # signs of a placeholder


@dataclass(slots=True)
class Unbroken:
    """Lets a stream of text through, but a placeholder only in one piece."""

    _kept: str = ""

    def take(self, text: str) -> str:
        """What may be shown now of all that has come."""
        whole = self._kept + text
        opened = whole.rfind("[")
        if opened < 0 or "]" in whole[opened:] or len(whole) - opened >= _LONGEST:
            self._kept = ""
            return whole
        self._kept = whole[opened:]
        return whole[:opened]

    def rest(self) -> str:
        """What has been held back, at the end of the stream."""
        kept, self._kept = self._kept, ""
        return kept
