"""`%agent costs`: what the models' answers cost, added up by whatever the analyst asks for."""

from collections.abc import Mapping
from typing import Any

from assent.core.errors import ConfigError
from assent_magics.desk import Desk

# What one can add up by, and the columns of the view `costs` that make it.
BY: Mapping[str, str] = {
    "provider": "provider", "model": "model", "agent": "agent", "run": "run", "cell": "notebook, cell",
    "user": '"user"', "hour": "hour",
}  # fmt: skip


def costs(desk: Desk, rest: str) -> Any:
    """Tokens and US dollars by model, or by another of `BY`; answers whose price nobody knows are counted apart."""
    by = rest.strip() or "model"
    if by not in BY:
        raise ConfigError(f"Costs can be added up by {', '.join(BY)}, not by {by!r}.")
    unpriced = desk.session.journal.select("SELECT model, answers FROM unpriced")
    if unpriced:
        names = ", ".join(f"{model} ({answers})" for model, answers in unpriced)
        print(f"No price is known for the answers of {names}: they are not in the sums.")
    return desk.session.sql(_query(BY[by]), frames=False)


def _query(columns: str) -> str:
    return f"""
        SELECT {columns}, count(*) AS answers, sum(input_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens,
            sum(output_tokens) AS output_tokens, sum(cost) AS cost, sum(saved) AS saved,
            count(*) - count(cost) AS unpriced
        FROM costs GROUP BY {columns} ORDER BY cost DESC NULLS LAST, {columns}"""
