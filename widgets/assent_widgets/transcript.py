"""A run as something to read: a fold of its events, and of what streams between them, into blocks of HTML and text."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from assent.core.events import ENDINGS, Event, Kind, Progress
from assent.core.ids import call_id
from assent.core.messages import Message, from_json
from assent.core.model import CallDelta, Notice, ReasoningDelta, TextDelta
from assent_widgets.blocks import Block, Item, changed_blocks, item_html, item_text, whole_blocks
from assent_widgets.budget import Bars, befell
from assent_widgets.calls import Call, fold, line_of, proposed, stop
from assent_widgets.endings import ending
from assent_widgets.escape import escape, reveal
from assent_widgets.markdown import markdown_html
from assent_widgets.notices import NOTICES, notice
from assent_widgets.recorded import lasting, lasting_json
from assent_widgets.render import Words
from assent_widgets.stream import Stream
from assent_widgets.style import FRAME
from assent_widgets.summary import Summary

MIME = "application/vnd.assent.run+json"
# Some front ends typeset what stands between two dollar signs, which in a table of prices is no formula.
_CLASS = "assent-run tex2jax_ignore mathjax_ignore"
_STOPS = {
    "length": "The model's answer was cut off at its token limit.",
    "filter": "The model's vendor cut the answer off.",
}


class Transcript:
    """Folds events and progress with `apply`; `changed` gives what a live view lacks, `html` and `text` everything.

    Progress costs its own length only, so the caller may apply every delta and ask `changed` 10 to 20 times a second.
    Items of other runs than the first one's are ignored. A fork's begin with what it shares, as `Session.events` tells
    them, and only its own count in the totals. `prompt` shows the question too;
    `cards` says that calls which wait stand on cards of their own below; `notebook` is the id of the one that it is in;
    `recorded` that the static form is to be the same when the run is replayed.
    """

    def __init__(
        self, *, prompt: bool = False, cards: bool = False, notebook: str | None = None, recorded: bool = False
    ) -> None:
        self.summary = Summary()
        self.answer = ""
        self._prompt = prompt
        self._cards = cards
        self._notebook = notebook
        self._recorded = recorded
        self._items: dict[str, Item] = {"head": self.summary}
        self._dirty: dict[str, None] = {"head": None}
        self._keys: dict[str, str] = {}  # where the calls are, by id
        self._bars = Bars()
        self._count = 0  # calls proposed so far, which their ids count
        self._typed = False
        self._notice = ""
        self._waiting = ""
        self._again: dict[int, int] = {}  # how often the answer of a step began anew

    @property
    def status(self) -> str:
        """running, suspended, paused, finished, cancelled or failed."""
        return self.summary.status

    def apply(self, item: Event | Progress) -> None:
        """Take one more event or delta in."""
        if item.run is None or (self.summary.run and item.run != self.summary.run):
            return
        if isinstance(item, Progress):
            self._delta(item)
            return
        self.summary.add(item)
        self._dirty["head"] = None
        self._fold(item)
        if self._bars.add(item):
            self._put("budget", self._bars.words)

    @property
    def undone(self) -> str:
        """What a dry run would have done, as foreseen, else what it would have run; "" of any other run."""
        if self.summary.mode != "dry-run":
            return ""
        calls = [item for item in self._items.values() if isinstance(item, Call) and item.state == "not performed"]
        told = [f"{reveal(call.tool)}: {call.foreseen}" if call.foreseen else line_of(call) for call in calls]
        lines = [f"{number}. {line}" for number, line in enumerate(told, 1)]
        if lines:
            return "\n".join(["Nothing was performed. It would have run:", *lines])
        return "There was nothing to do." if self.status == "finished" else "There was nothing to do before it stopped."

    def changed(self) -> list[Block]:
        """Blocks that are new or different since the last call, new ones in the order of the display."""
        keys, self._dirty = self._dirty, {}
        return [block for key in keys for block in changed_blocks(key, self._items[key])]

    def snapshot(self) -> list[Block]:
        """All blocks as a live view has them after the last `changed`; a view that joins late starts from these."""
        return [block for key, item in self._items.items() for block in whole_blocks(key, item)]

    def html(self) -> str:
        """The whole run as static HTML."""
        body = "".join([item_html(item) for item in self._shown()])
        return f'<div class="{_CLASS}" style="{FRAME}">{body}</div>'

    def text(self) -> str:
        """The whole run as plain text."""
        return "\n\n".join([words for item in self._shown() if (words := item_text(item))])

    def bundle(self) -> dict[str, Any]:
        """The static display, by MIME type."""
        return {"text/plain": self.text(), "text/html": self.html(), MIME: self.to_json()}

    def metadata(self) -> dict[str, Any]:
        """The metadata of the output that shows `bundle`: where it came from stays in the notebook's file."""
        short = self.summary.to_json()
        told = {name: short[name] for name in ("run", "agent", "model", "status", "steps", "cost")}
        where = {"notebook": self._notebook, "cell": self.summary.cell}
        return {"assent": {**where, **told, "approved_by": list(self.summary.approved_by)}}

    def to_json(self) -> dict[str, Any]:
        """The run in short: totals, answer, calls without their results."""
        calls = [item.to_json() for item in self._shown() if isinstance(item, Call)]
        short = {"version": 1, **self.summary.to_json(), "answer": self.answer, "calls": calls}
        return dict(json.loads(json.dumps(lasting_json(short) if self._recorded else short, default=str)))

    def _shown(self) -> Iterable[Item]:
        """What the static form tells."""
        return lasting(self._items) if self._recorded else self._items.values()

    def _fold(self, event: Event) -> None:
        body = event.body
        if "held" in body:
            self._put(f"held.{event.seq}", Words(str(body["held"]), "note"))
        if "remarks" in body:
            self._put(f"remarks.{event.seq}", Words("\n".join(body["remarks"]), "note", "Policy:"))
        match event.kind:
            case Kind.RUN_STARTED:
                self._started(body)
            case Kind.MODEL_ANSWERED:
                self._answered(event.step or 0, from_json(body["message"]), str(body.get("stop", "")))
            case Kind.MODEL_FAILED:
                self._begin_anew(event.step or 0)
                key = f"{event.step}.error.{len(self._items)}"
                self._put(key, Words(str(body.get("error", "")), "error", "The model failed:"))
            case kind if kind in NOTICES:
                self._noticed(event)
            case Kind.BUDGET_WARNED | Kind.BUDGET_WAIVED:
                self._put(f"{event.step}.budget.{len(self._items)}", befell(event))
            case Kind.CALL_DECIDED | Kind.APPROVAL_DECIDED | Kind.CALL_STARTED | Kind.CALL_FINISHED:
                key = self._key_of(event)
                call = self._call(key)
                call.card = self._cards
                fold(call, event)
                self._dirty[key] = None
            case Kind.RUN_RESUMED:
                self._resumed()
            case kind if kind in ENDINGS:
                self._end(event)

    def _started(self, body: Mapping[str, Any]) -> None:
        self._typed = "output" in body
        fork = body.get("fork") or {}
        if self._prompt and not fork.get("at"):
            self._put("prompt", Words(str(body.get("prompt", "")), "prompt"))
        if fork:
            self._branched(fork)

    def _put(self, key: str, item: Item) -> None:
        self._items[key] = item
        self._dirty[key] = None

    def _call(self, key: str) -> Call:
        item = self._items.get(key)
        if not isinstance(item, Call):
            item = self._items[key] = Call()
        return item

    def _noticed(self, event: Event) -> None:
        """A line of its own; the one that said that a limit makes it wait becomes the one that says how long it did."""
        if event.body.get("restart"):
            self._begin_anew(event.step or 0)
        key = f"{event.step}.notice.{len(self._items)}"
        if event.kind is Kind.MODEL_WAITED and self._waiting:
            key, self._waiting = self._waiting, ""
        self._put(key, notice(event))

    def _delta(self, progress: Progress) -> None:
        if isinstance(progress.delta, Notice):
            self._waiting = self._waiting or f"{progress.step}.notice.{len(self._items)}"
            reason = progress.delta.reason
            self._put(self._waiting, Words(reason[:1].upper() + reason[1:], "quiet"))
            return
        if self.summary.silent:
            self.summary.silent = False
            self._dirty["head"] = None
        match progress.delta:
            case TextDelta(text):
                self._stream(f"{self._place(progress.step)}.text", text, plain=False)
            case ReasoningDelta(text):
                self._stream(f"{self._place(progress.step)}.thought", text, plain=True)
            case CallDelta(index, name, arguments):
                key = f"{self._place(progress.step)}.call.{index}"
                call = self._call(key)
                call.tool, call.state = call.tool or name, "being written"
                call.pieces.append(arguments)
                self._dirty[key] = None

    def _stream(self, key: str, words: str, *, plain: bool) -> None:
        item = self._items.get(key)
        if not isinstance(item, Stream):
            item = self._items[key] = Stream(escape if plain else markdown_html, plain=plain)
        item.feed(words)
        self._dirty[key] = None

    def _answered(self, step: int, message: Message, stopped: str) -> None:
        """The whole answer takes the place of what streamed."""
        self._forget_unfinished(step)
        place = self._place(step)
        if message.reasoning:
            self._put(f"{place}.thought", Words(message.reasoning, "thought"))
        if message.text:
            self._put(f"{place}.text", Words(message.text, "said"))
        for index, call in enumerate(message.calls):
            self._put(f"{place}.call.{index}", proposed(call))
            self._count += 1
            self._keys[call_id(self.summary.run, self._count)] = f"{place}.call.{index}"
        if stopped in _STOPS:
            self._put(f"{place}.stop", Words(_STOPS[stopped], "note"))

    def _branched(self, fork: Mapping[str, Any]) -> None:
        """Say whose steps stand above, and what the person said after them."""
        number = len(self._items)
        self._put(f"fork.{number}", Words(fork_of(fork), "quiet", "Fork of"))
        self._put(f"fork.{number}.prompt", Words(str(fork.get("prompt", "")), "prompt"))

    def _begin_anew(self, step: int) -> None:
        """Take back what streamed in a step; another answer to it stands below what is said next."""
        self._forget_unfinished(step)
        self._again[step] = self._again.get(step, 0) + 1

    def _place(self, step: int | None) -> str:
        """What the keys of a step's answer begin with: another one once it began anew."""
        again = self._again.get(step or 0, 0)
        return f"{step}.again{again}" if again else f"{step}"

    def _forget_unfinished(self, step: int) -> None:
        """Empty what streamed in a step; the places stay, so that the order of the display does."""
        for key, item in self._items.items():
            written = isinstance(item, Call) and item.state == "being written"
            if key.startswith(f"{step}.") and (written or isinstance(item, Stream)):
                self._put(key, Words("", "said"))

    def _key_of(self, event: Event) -> str:
        """Which of the calls that the model proposed an event is about."""
        call = event.call or ""
        return self._keys.setdefault(call, f"{self._place(event.step)}.call.{call}")

    def _resumed(self) -> None:
        old = self._items.get(self._notice)
        if isinstance(old, Words):
            why = old.text.partition("\n")[0].removesuffix(".")
            self._put(self._notice, Words(f"{why}. Then resumed.", "quiet", old.title))
        self._notice = ""

    def _end(self, event: Event) -> None:
        if self._waiting:
            self._put(self._waiting, Words("", "quiet"))
            self._waiting = ""
        if event.kind is Kind.RUN_FINISHED:
            self._finish(str(event.body.get("text") or ""))
        else:
            if partial := event.body.get("partial"):  # where it streamed, so that another answer replaces it
                self._put(f"{self._place((event.step or 0) + 1)}.text", Words(str(partial), "said"))
            # A kernel that is shut down is interrupted before: the later ending says why.
            words = ending(event)
            self._notice = self._notice or self._same_failure(words) or f"notice.{len(self._items)}"
            self._put(self._notice, words)
        if undone := self.undone:
            self._put("undone", Words(undone, "note", "Dry run."))
        if event.kind is not Kind.RUN_SUSPENDED:
            for key, item in self._items.items():
                if isinstance(item, Call) and stop(item, for_good=event.kind is not Kind.RUN_PAUSED):
                    self._dirty[key] = None

    def _same_failure(self, said: Words) -> str:
        """Where a model's failure stands that is all that the run failed of: it need not be said twice."""
        why = said.text.partition("\n")[0]
        for key, item in self._items.items():
            if isinstance(item, Words) and item.kind == said.kind == "error" and item.text == why:
                return key
        return ""

    def _finish(self, text: str) -> None:
        """The last words are the answer, and look like it."""
        self.answer = text
        if not text.strip() and not any(key.endswith(".stop") for key in self._items):
            self._put("answer", Words("The model ended its turn without a word.", "note"))
            return
        said = [key for key, item in self._items.items() if isinstance(item, Words) and item.kind == "said"]
        last = self._items[said[-1]] if said else None
        same = isinstance(last, Words) and last.text.strip() == text.strip()
        self._put(said[-1] if same else "answer", Words(text, "typed" if self._typed else "answer"))


def fork_of(fork: Mapping[str, Any]) -> str:
    """Where a fork branched off, and what was changed there, from the `fork` of its first event."""
    where = f"after step {fork['at']}" if fork["at"] else "from its beginning"
    edit = f", with {fork['edit']['call']} edited" if "edit" in fork else ""
    return f"{fork['run']} {where}{edit}."
