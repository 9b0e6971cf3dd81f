"""What a person does by hand: a call of an agent may not. A fence for accidents, as all in a kernel."""

from assent.core.errors import ConfigError
from assent.tools.idempotency import call_at_work


def by_hand(whose: str) -> None:
    """`ConfigError` within a tool's call; `whose` begins the sentence and says who does this."""
    if call_at_work():
        raise ConfigError(f"{whose}, and this is a tool's call. Type it in a cell of your own.")
