"""The ways to say a command that does several things, as `%agent help COMMAND` tells them."""

from collections.abc import Mapping

WAYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "policy": (
        ("policy", "every line that holds, from the highest layer"),
        ('policy add pay ask --when "amount > 100"', "one more rule, for this session only; it can only tighten"),
        ("policy add 'agents.intern.ceiling = \"read_only\"'", "whatever else a policy.toml may say, likewise"),
        ("policy clear", "take back what was added for this session"),
        ("policy explain pay amount=150", "which line decides a call, and what each other one says"),
        ("policy test FILE", "calls that must come out as expected: [[example]] in a file"),
    ),
    "memory": (
        ('memory search "fiscal year" -k 5 --since 30d', "what fits these words best, of yours and your agents'"),
        ('memory add "The fiscal year begins in April." --collection finance', "remember a fact"),
        ('memory add "Prefer tables to charts." --kind preference --agent analyst', "for one agent only"),
        ("memory forget ID", "what would be forgotten; the beginning of the id will do"),
        ("memory forget ID --yes", "forget it for good"),
        ("memory collections", "which collections there are"),
        ("memory status", "how much is remembered, and how large the index is"),
    ),
    "budgets": (
        ("budgets", "what is left of each budget, for the agent of the settings"),
        ("budgets NAME", "for another agent"),
    ),
    "waive": (
        ('waive pay --reason "month end" --until 2h', "the rules of policies do not hold for this tool until then"),
        ('waive daily --budget --reason "…" --until 2026-11-30', "the budget of this name does not stop a run"),
    ),
    "waivers": (
        ("waivers", "what is loosened now, by whom, why and until when"),
        ("waivers end ID", "end one; the beginning of its id will do"),
        ("sql SELECT * FROM waivers", "all that were ever given, and how each ended"),
    ),
    "trust": (
        ("trust", "which sources are trusted now"),
        ('trust data/orders.csv --reason "our own export"', "a file, in this session, for 8 hours"),
        ('trust web:api.example.com --scope workspace --until 30d --reason "…"', "a host, in all sessions here"),
        ("trust revoke ID", "trust a source no more; the beginning of the id will do"),
        ("sql SELECT * FROM taint", "what carries what of untrusted sources"),
    ),
    "people": (
        ("people", "who can prove by a passphrase who they are"),
        ("people add NAME", "list yourself, or change your passphrase: it is asked for, and kept nowhere"),
        ("approve ID --as NAME", "approve a call as a person who is listed"),
    ),
    "grants": (
        ("grants", "which tools may act without asking now, in which run or session, by whose yes"),
        ("grants revoke ID", "end one, from the next call on"),
        ("approve ID --for-run", "give one as you approve a call; or --for-session"),
        ("sql SELECT * FROM grants", "all that were ever given, and how each ended"),
    ),
    "audit": (
        ("audit", "who decided what, by which rule, grant or waiver, and whether it was performed"),
        ("audit sign", "sign the last event, and so all before it; the first time a key is made"),
        ("audit key", "the public key, for whoever verifies"),
        ("audit anchor [FOLDER]", "sign, and put the signature in a git note of the last commit"),
        ("audit export FILE", "all events with their hashes, as JSON Lines"),
        ("verify", "whether all is as it was written and signed"),
    ),
    "local_only": (
        ("local_only", "which variables are marked"),
        ("local_only patients", "send nothing of it, or of what agents make of it, to a remote model"),
        ("local_only --end patients", "let it be sent again"),
    ),
}
