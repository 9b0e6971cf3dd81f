"""A text that is still being written, as HTML that only grows: what is complete is sent once, the rest again."""

from collections.abc import Callable

_TAIL = 4000
_FENCE = "```"


class Stream:
    """Words as they come. `take` renders up to the last paragraph that is complete; `tail` is what follows it.

    `render` turns words into HTML. Each sign is rendered a bounded number of times, however long the text becomes.
    With `plain` nothing that was rendered can change, so `take` gives everything.
    """

    def __init__(self, render: Callable[[str], str], *, plain: bool = False) -> None:
        self._render = render
        self.plain = plain
        self._pieces: list[str] = []
        self._written: list[str] = []
        self._taken: list[str] = []
        self._rest = ""
        self.tail = ""
        self.begun = False

    def feed(self, words: str) -> None:
        self._pieces.append(words)
        self._written.append(words)

    def take(self) -> str:
        """HTML that became complete since the last call; renders `tail` too."""
        self.begun = True
        rest = self._rest + "".join(self._pieces)
        self._pieces.clear()
        cut, self._rest = (rest, "") if self.plain else _split(rest)
        done = self._render(cut) if cut else ""
        self.tail = self._render(self._rest) if self._rest else ""
        if done:
            self._taken.append(done)
        return done

    @property
    def words(self) -> str:
        """The text itself."""
        return "".join(self._written)

    @property
    def taken(self) -> str:
        """All HTML that `take` has given."""
        return "".join(self._taken)

    @property
    def html(self) -> str:
        """Everything so far, taken or not."""
        rest = self._rest + "".join(self._pieces)
        return self.taken + (self._render(rest) if rest else "")


def _split(text: str) -> tuple[str, str]:
    """What is complete, and what may still change: the last paragraph, or an open block of code.

    What stays open for too long is cut at the end of a line, a block of code closed before and opened again behind it.
    """
    done: list[str] = []
    cut, at, inside, opening = 0, 0, False, ""
    for line in text.splitlines(keepends=True):
        at += len(line)
        if line.lstrip().startswith(_FENCE):
            inside = not inside
        elif (not inside and not line.strip()) or at - cut > _TAIL:
            done += [opening, text[cut:at], f"\n{_FENCE}\n" if inside else ""]
            cut, opening = at, f"{_FENCE}\n" if inside else ""
    return "".join(done), opening + text[cut:]
