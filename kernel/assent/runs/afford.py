"""Before a run goes on: whether its budgets cover that, and what to do where they do not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from assent.core.budget import said
from assent.core.canonical import canonical
from assent.core.clock import CLOCK
from assent.core.errors import Conflict, OverBudget
from assent.core.events import Event, Kind
from assent.core.messages import Image, Message, Part, ToolCall
from assent.core.model import Usage
from assent.core.waiver import Waiver, covering
from assent.models.prices import Rates, cost, rates
from assent.runs import branch
from assent.runs.bound import bound, leeway
from assent.runs.call_state import CallState
from assent.runs.own_budget import purse_of
from assent.runs.pool import DAY, largest_answer, others, past_runs, room
from assent.runs.purse import Pot, Purse
from assent.runs.run import Run

BYTES = 3  # of a text make a token at least, in all but a few tongues: four are usual
ANSWER = 1_000  # tokens of an answer, as long as nobody has seen one
IMAGE = 1_500 * BYTES  # a picture of the usual size
ROOMY = 4 * ANSWER  # what an answer may have before anybody has seen one, where there is enough
Need = Mapping[str, Decimal]
_NEXT = "the next answer"
_NOTHING: Need = MappingProxyType({})
_BY_ANSWERS = frozenset({"tokens", "money"})


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """The next answer, after `tokens` of input: it needs `most`, which is `need`, and would rather have `wish`."""

    tokens: int
    most: int
    need: Need
    wish: Need
    rates: Rates | None = None


async def open_budgets(run: Run) -> None:
    """Say at the run's beginning which budgets it is under, what is spent of them, and what it may cost."""
    run.budgeted = run.rules.layers
    if (purse := run.purse) is None:
        return
    for pot in purse.pots:
        await _look(run, pot)
    purse.learn(*largest_answer(run.journal, run.state.agent.name, run.model.name))
    body = {"budgets": [pot.told() for pot in purse.pots], "estimate": _estimate(run, purse)}
    run.record(_event(run, Kind.BUDGET_OPENED, body))


async def afford_answer(run: Run) -> None:
    """See that every budget covers the model's next answer, at its estimated most; else `OverBudget`."""
    run.bound = run.state.agent.max_tokens
    if (purse := await _current(run)) is None:
        return
    answer = _next_answer(run, purse)
    what = f"the answer anew, which was cut off at {said('tokens', Decimal(purse.cut))}," if purse.cut else _NEXT
    for pot in purse.pots:
        if "money" in pot.budget.limits and "money" not in answer.need:
            await _pass(
                run, pot, "money", {}, f"nobody knows what {run.model.name} costs, so no money covers its answer"
            )
        await _cover(run, pot, answer.need, what, answer.wish)
    _bind(run, [pot for pot in purse.pots if _waiver(run, pot) is None], answer)


async def afford_calls(run: Run, calls: Sequence[CallState]) -> tuple[list[CallState], OverBudget | None]:
    """The first of `calls` that the budgets cover, and why the next one is not."""
    if (purse := await _current(run)) is None:
        return list(calls), None
    for number, call in enumerate(calls, 1):
        what = f"{call.tool}, with those that begin before it," if number > 1 else f"{call.tool} as the next call"
        try:
            for pot in purse.pots:
                await _cover(run, pot, {"calls": Decimal(number)}, what)
        except OverBudget as short:
            return list(calls[: number - 1]), short
    return list(calls), None


async def _current(run: Run) -> Purse | None:
    """The run's purse; made anew where a policy file has other budgets by now."""
    if run.rules.layers is not run.budgeted:
        budgets = run.rules.layers.of("budget")
        if budgets == run.budgeted.of("budget"):
            run.budgeted = run.rules.layers
        else:
            await run.journal.committed([])  # all that it has done can be read then
            run.purse = purse_of(run.state, budgets, branch.events(run.journal, run.state.run), run.above())
            await open_budgets(run)
    return run.purse


def _bind(run: Run, pots: Sequence[Pot], answer: _Reckoned) -> None:
    """Let the answer have no more tokens than these leave it, so that it cannot pass one of them."""
    if any(not _BY_ANSWERS.isdisjoint(pot.budget.limits) for pot in pots):
        found = leeway(pots, answer.tokens, answer.rates)
        run.bound = bound(run.model.name, run.bound, answer.most, found)


async def _cover(run: Run, pot: Pot, need: Need, what: str, wish: Need = _NOTHING) -> None:
    """Else `OverBudget`. Where several runs spend of it `wish` is reserved too, as far as there is enough."""
    if "day" in pot.budget.per and (now := CLOCK.now()) >= pot.day + DAY:
        pot.begin(now)
    while pot.lacks(wish if wish and pot.part is not None else need):
        await _look(run, pot)
        if kind := pot.short_of(need):
            await _pass(run, pot, kind, need, what)
            return
        if pot.part is not None and await _reserve(run, pot, need, wish):
            return


async def _look(run: Run, pot: Pot) -> None:
    if pot.part is not None:
        pot.others = await asyncio.to_thread(others, run.journal, pot.part, pot.budget.common, run.state.run)


async def _reserve(run: Run, pot: Pot, need: Need, wish: Need) -> bool:
    """Reserve the run's next share; False where another one was first, and there may be less."""
    assert pot.part is not None  # nobody reserves what is the run's alone
    wanted = pot.wanted(need, wish)
    if all(wanted[kind] <= pot.until.get(kind, -1) for kind in wanted):
        return True  # there is no more than it has, which covers what it needs
    event = _event(run, Kind.BUDGET_RESERVED, pot.reserved(wanted))
    guard = room(pot.part, pot.budget.common, wanted, run.state.run)
    try:
        await asyncio.wrap_future(run.journal.append([event], guard))
    except Conflict:
        return False
    run.last, pot.until = event, {**pot.until, **wanted}
    return True


async def _pass(run: Run, pot: Pot, kind: str, need: Need, what: str) -> None:
    """Go on by a waiver, which is told of once; `OverBudget` where there is none."""
    if run.waiving is not None and run.waivers():
        await asyncio.to_thread(run.waiving.look)  # what was ended elsewhere may not have come as news yet
    waiver = _waiver(run, pot)
    if waiver is None:
        raise _over(pot, kind, need, what)
    if waiver.id not in pot.waived:
        pot.waived.add(waiver.id)
        text = f"{_stand(pot, kind)}; it goes on by the waiver {waiver.note[1]}"
        run.record(_event(run, Kind.BUDGET_WAIVED, {**pot.told(), "kind": kind, "waiver": waiver.id, "text": text}))


def _waiver(run: Run, pot: Pot) -> Waiver | None:
    budget = pot.budget
    return covering(run.waivers(), budget=budget.name, firm=budget.firm) if budget.rule else None  # its own is raised


def _over(pot: Pot, kind: str, need: Need, what: str) -> OverBudget:
    budget, whose = pot.budget, f" of the run {pot.of.run}, which has started this one," if pot.above else ""
    unpriced = kind == "money" and not need
    why = what if unpriced else f"{_stand(pot, kind)}, so {what} is not begun"
    if need.get(kind):
        why = f"{_stand(pot, kind)}, and {what} may take {said(kind, need[kind])}"
    if budget.rule:
        waive = f'%agent waive {budget.name} --budget --reason "…" --until 2h'
        change = "Limit tokens there instead" if unpriced else "Raise it there"
        what_to_do = f"{change}, or {'[[waiver]] there' if budget.firm else waive}; then resume the run."
        text = f"The budget {budget.name} ({budget.rule}){whose} stops the run: {why}. {what_to_do}"
    elif pot.above:
        text = f"The budget{whose} stops it: {why}. %agent resume {pot.of.run} --budget DOLLARS gives it more."
    else:
        more = "--model NAME goes on with a priced one" if unpriced else "--budget DOLLARS goes on with more"
        text = f"The run's own budget stops it: {why}. %agent resume {pot.of.run} {more}."
    return OverBudget(text, {**pot.told(), "kind": kind})


def _stand(pot: Pot, kind: str) -> str:
    spent, limit = pot.spent[kind], pot.budget.limits[kind]
    shared = ", what other runs at work have reserved included" if any(pot.others.values()) else ""
    return f"{said(kind, spent)} spent of {said(kind, limit)}{shared}"


def _next_answer(run: Run, purse: Purse) -> _Reckoned:
    """What the model's next answer may take; of money nothing where nobody knows its price.

    A price takes longer to find than all the rest of this: while there is enough for twice the input, that one's will
    do.
    """
    tokens, given = _tokens_in(run, purse), run.state.agent.max_tokens
    most, roomy = given or purse.largest or ANSWER, given or max(2 * purse.largest, ROOMY)
    need, wish = {"tokens": Decimal(tokens + most)}, {"tokens": Decimal(tokens + roomy)}
    if not any("money" in pot.budget.limits for pot in purse.pots):
        return _Reckoned(tokens, most, need, wish)
    known = purse.priced
    if known is None or known.model != run.model.name or tokens > known.tokens:
        known = purse.priced = rates(run.model.name, 2 * tokens)
    if known is not None and any(pot.lacks({**wish, "money": known.price(roomy)}) for pot in purse.pots):
        known = rates(run.model.name, tokens)
    if known is not None:
        return _Reckoned(tokens, most, need | {"money": known.price(most)}, wish | {"money": known.price(roomy)}, known)
    # A vendor that says what an answer did cost, but not what the next one will.
    told = {} if purse.dearest is None else {"money": purse.dearest}
    return _Reckoned(tokens, most, need | told, wish | told)


def _tokens_in(run: Run, purse: Purse) -> int:
    """What the model counted up to its last answer, and what has come since by its bytes; all by its bytes before."""
    messages = run.state.messages
    if not purse.counted:
        specs = [[tool.name, tool.spec.description, tool.spec.schema] for tool in run.tools.values()]
        return -(-(_size(messages) + len(canonical(specs))) // BYTES)
    new = len(messages)
    while new and messages[new - 1].role != "assistant":
        new -= 1
    return purse.counted + -(-_size(messages[new:]) // BYTES)


def _size(messages: Sequence[Message]) -> int:
    """Bytes that a model is told."""
    return sum([_part_size(part) for message in messages for part in message.parts])


def _part_size(part: Part) -> int:
    if isinstance(part, Image):
        return IMAGE
    text = part.arguments if isinstance(part, ToolCall) else part.text
    return len(text.encode("utf-8", "surrogatepass"))


def _estimate(run: Run, purse: Purse) -> dict[str, Any]:
    """The least that the first request costs, and what half and nine tenths of the agent's late runs did at most."""
    tokens = _tokens_in(run, purse)
    least = cost(run.model.name, Usage(tokens, 0))
    count, median, most = past_runs(run.journal, run.state.agent.name)
    known = {"least": least, "median": median, "most": most}
    return {"tokens": tokens, "runs": count, **{name: str(value) for name, value in known.items() if value is not None}}


def _event(run: Run, kind: Kind, body: dict[str, Any]) -> Event:
    return run.event(kind, step=run.state.step or None, body=body)
