"""Auditing a journal: whether its chain fits, whether it fits the heads that were signed, and what was done to it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from assent.core.errors import StoreError
from assent.core.events import Kind
from assent.store import chain, head
from assent.store.chain import Select
from assent.store.head import Signed
from assent.store.schema import ITEMS, TEXTS
from assent.store.tampering import MOST, Finding, tampered

_SIGNATURES = f"SELECT seq, body ->> 'jws' FROM events WHERE kind = '{Kind.CHAIN_SIGNED}' ORDER BY seq"
_LATER = f"SELECT count(*) FROM events WHERE seq > ? AND kind <> '{Kind.CHAIN_SIGNED}'"  # those sign by themselves
_DIGEST = "unhex(sha256(concat('{}', chr(0), title, chr(0), text)))"  # of a text, as one of a file or of a turn
_OTHERWISE = f"""SELECT (SELECT count(*) FROM {TEXTS} WHERE digest IS NULL
        OR (digest <> {_DIGEST.format("files")} AND digest <> {_DIGEST.format("turns")})),
    (SELECT count(*) FROM {ITEMS} WHERE number NOT IN (SELECT number FROM {TEXTS}))"""
_HASH = "SELECT hash FROM events WHERE seq = ? ORDER BY hash"


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. `whole` says what fits, "" where something does not; `signed` is the last head that fits.

    `checked`: the signature was held against a key that the auditor gave. `later`: events that came after that head.
    """

    findings: Sequence[Finding] = ()
    whole: str = ""
    signed: Signed | None = None
    checked: bool = False
    later: int = 0

    def __str__(self) -> str:
        lines = [str(item) for item in self.findings[:MOST]]
        if len(self.findings) > MOST:
            lines.append("And more.")
        return "\n".join([*lines, *([self.whole] if self.whole else []), self._signature()])

    def _signature(self) -> str:
        if self.signed is None:
            return "Nothing signed shows that nobody wrote the journal anew. %agent audit sign signs it."
        whose = f"the key {self.signed.key}" + ("" if self.checked else ", which nobody vouched for (--key)")
        later = f"; {self.later:,} later {'one is' if self.later == 1 else 'ones are'} not signed" if self.later else ""
        return f"Signed up to {self.signed.head} by {whose}{later}."


def audit(
    select: Select,
    folder: Path | None,
    keys: Collection[str] = (),
    anchors: Iterable[str] = (),
    before: Sequence[Finding] = (),
) -> Audit:
    """Look at all events; `folder` has the payloads, None if they are not at hand.

    With `keys`, only what one of these signed counts. `anchors` are heads (JWS) from outside the journal, without which
    nobody can see that its end was cut off. `before`: what was found when it was read.
    """
    whole, findings = _chained(select, folder)
    heads, doubts = _heads(select, keys, anchors)
    fitting, misfits = _compared(select, heads)
    if keys and not heads:
        doubts.append(Finding("unsigned", 0, "Nothing here is signed by the key that was given."))
    findings = [*before, *findings, *doubts, *misfits, *_remembered(select)]
    [(later,)] = select(_LATER, (fitting.head.seq,)) if fitting else [(0,)]
    return Audit(findings, "" if findings else whole, fitting, bool(keys), later)


def _chained(select: Select, folder: Path | None) -> tuple[str, list[Finding]]:
    """What is whole, or what is not."""
    try:
        return str(chain.verify(select, folder)), []
    except StoreError as error:
        findings = list(islice(tampered(select), MOST + 1))
        return "", findings or [Finding("payload", 0, str(error))]  # the chain fits: it is what hangs on it


def _remembered(select: Select) -> list[Finding]:
    """Whether each text beside the journal is the one that its digest is of. Who writes both anew is not found out."""
    try:
        [(changed, missing)] = select(_OTHERWISE, ())
    except StoreError as error:
        return [Finding("memory", 0, f"What is remembered could not be looked at: {error}")]
    if not changed and not missing:
        return []
    text = f"Memory was changed: {changed:,} texts are not what was remembered, and {missing:,} items have none."
    return [Finding("memory", 0, text)]


def _heads(
    select: Select, keys: Collection[str], anchors: Iterable[str]
) -> tuple[list[tuple[Signed, str]], list[Finding]]:
    """The signed heads, each with where it is from, and those that are none."""
    there = [(seq, jws or "", f"event {seq}") for seq, jws in select(_SIGNATURES, ())]
    heads, doubts = [], []
    for seq, jws, where in [*there, *[(0, jws, "an anchor") for jws in anchors]]:
        try:
            heads.append((head.read(jws, keys), where))
        except StoreError as error:
            doubts.append(Finding("unsigned", seq, f"The signature in {where} does not count: {error}."))
    return _of_this(select, heads, doubts)


def _of_this(
    select: Select, heads: list[tuple[Signed, str]], doubts: list[Finding]
) -> tuple[list[tuple[Signed, str]], list[Finding]]:
    """Without the anchors of other journals: a repository's notes may be of several. Some must be of this one."""
    first = [row[0] for row in select(_HASH, (1,))]
    anchors = [item for item in heads if item[1] == "an anchor"]
    strange = [item for item in anchors if item[0].head.first not in first]
    if anchors and len(strange) == len(anchors):
        text = "No anchor is of this journal: it is another one, or was written anew from its first event on."
        doubts.append(Finding("rewritten", 1, text, until=max(item.head.seq for item, _ in anchors)))
    return [item for item in heads if item not in strange], doubts


def _compared(select: Select, heads: list[tuple[Signed, str]]) -> tuple[Signed | None, list[Finding]]:
    """The last head that the journal fits, and what shows by those that it does not fit."""
    [(last,)] = select("SELECT coalesce(max(seq), 0) FROM events", ())
    fitting: Signed | None = None
    wrong: list[tuple[Signed, str]] = []
    for signed, where in sorted(heads, key=lambda item: item[0].head.seq):
        if (signed.head.head,) in select(_HASH, (signed.head.seq,)):
            fitting = signed
        else:
            wrong.append((signed, where))
    findings = []
    if inner := [item for item in wrong if item[0].head.seq <= last]:
        findings.append(_rewritten(*inner[0], heads, [item for item, _ in wrong]))
    if beyond := [item for item, _ in wrong if item.head.seq > last]:
        findings.append(_cut_off(last, beyond[0], beyond[-1]))
    return fitting, findings


def _cut_off(last: int, first: Signed, signed: Signed) -> Finding:
    """Events are missing at the end, which were there when heads beyond it were signed, the first and the last."""
    there, day = f"event {last}", first.head.when[:10]
    gone = f"Event {last + 1} is" if signed.head.seq == last + 1 else f"Events {last + 1} to {signed.head.seq} are"
    text = (
        f"{gone} missing from the end: this record stops at {there}, and {signed.head} was signed. Either the end was "
        f"cut off since {day}, or this is an older copy. Verify the newest copy there is; if none has that event, what "
        f"was done after {there} has been taken out."
    )
    return Finding("removed", last + 1, text, until=signed.head.seq)


def _rewritten(misfit: Signed, where: str, heads: list[tuple[Signed, str]], wrong: list[Signed]) -> Finding:
    """An event has another hash than was signed: it, or one before it since the head before, was written anew."""
    seq = misfit.head.seq
    good = max([item.head.seq for item, _ in heads if item not in wrong and item.head.seq < seq], default=0)
    text = (
        f"Event {seq} has another hash than was signed (in {where}): one of the events {good + 1} to {seq}, or all of "
        f"them, were written anew, and what comes after them too. Before {good + 1} all is as it was signed."
    )
    if not good:
        text = text.rpartition(" Before ")[0]
    return Finding("rewritten", good + 1, text, until=seq)
