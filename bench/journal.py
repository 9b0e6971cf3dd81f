"""A journal of many runs, written by one SQL statement: what a workspace holds after years, in a minute.

The rows are as the writer's own but for their hashes, which are of the right length and chain nothing.
"""

from pathlib import Path

from assent.core.events import current_user
from assent.store import database

EVENTS = 100  # of a run: it begins, 24 steps of four events, is suspended, resumed and finished
WAITING = 1_000  # every so manieth run is suspended over a question that nobody has answered
_PART = 2_000  # runs that are written together
_DAYS = 180

_ROWS = """
    SELECT range AS seq, range // {events} AS number, CAST(range % {events} AS INTEGER) AS place,
        (place - 1) // 4 + 1 AS step, substr(md5(CAST(number AS VARCHAR)), 1, 10) AS run, hash(seq) AS chance,
        run || '.' || step AS call_id
    FROM range({begin}, {end}) WHERE number % {waiting} <> 7 OR place <= 95"""

_BODY = """CASE kind
    WHEN 'run_started' THEN json_object('prompt', 'Question ' || number || ' of the day', 'agent',
        {{'name': 'analyst', 'instructions': 'You help.', 'tools': ['sql'], 'max_steps': 50}})
    WHEN 'model_answered' THEN json_object('stop', 'calls', 'message', json_object('role', 'assistant', 'parts',
        json_array(json_object('kind', 'text', 'text', 'I look at part ' || step || ' of ' || number),
        json_object('kind', 'call', 'id', call_id, 'name', 'sql', 'arguments', '{{}}'))))
    WHEN 'call_finished' THEN json_object('text', '42 rows, the first is ' || chance, 'error', false)
    WHEN 'approval_decided' THEN json_object('by', 'ada', 'reason', '', 'scope', 'once', 'missing', 0,
        'arguments', NULL, 'digest', '', 'policy_version', '')
    WHEN 'run_finished' THEN json_object('text', 'There are ' || chance)
    WHEN 'run_suspended' THEN json_object('reason', 'nobody can be asked here')
    WHEN 'run_resumed' THEN '{{}}'
    ELSE json_object('arguments', {{'query': 'SELECT ' || chance}}, 'reason', 'read_only runs on its own') END"""

_INSERT = f"""
    INSERT INTO events BY NAME
    SELECT seq + 1 AS seq, TIMESTAMP '2026-01-01' + to_microseconds(seq * {{apart}}) AS time,
        CASE WHEN place = 0 THEN 'run_started' WHEN place = 95 AND number % {{waiting}} = 7 THEN 'run_suspended'
            WHEN place = 97 THEN 'run_suspended' WHEN place = 98 THEN 'run_resumed'
            WHEN place = 99 THEN 'run_finished' WHEN place % 4 = 1 THEN 'model_answered'
            WHEN place % 4 = 2 THEN 'call_decided' WHEN place % 4 = 0 THEN 'call_finished'
            WHEN step = 12 THEN 'approval_decided' ELSE 'call_started' END AS kind,
        run, CASE WHEN place BETWEEN 1 AND 96 THEN step END AS step, 'default' AS tenant, '{{user}}' AS "user",
        'agent-' || number % 3 AS agent, 'notebook-' || number % 50 AS notebook, 'cell-' || number % 997 AS cell,
        CASE WHEN kind NOT LIKE '%call%' AND kind NOT LIKE 'appr%' THEN 'maker:model-' || number % 4 END AS model,
        CASE WHEN place BETWEEN 1 AND 96 AND place % 4 <> 1 AND kind NOT LIKE 'run%' THEN 'sql' END AS tool,
        CASE WHEN tool IS NOT NULL THEN call_id END AS call,
        CASE WHEN tool IS NOT NULL THEN 'read_only' END AS privilege,
        CASE kind WHEN 'approval_decided' THEN 'approve' WHEN 'call_decided' THEN
            CASE WHEN step = 12 OR step = 24 AND number % {{waiting}} = 7 THEN 'ask' ELSE 'allow' END END AS decision,
        CASE kind WHEN 'model_answered' THEN 100 + chance % 2000 END AS input_tokens,
        CASE kind WHEN 'model_answered' THEN 10 + chance % 300 END AS output_tokens,
        CASE kind WHEN 'model_answered' THEN CAST(chance % 100000 / 1e6 AS DECIMAL(18,9)) END AS cost,
        CASE WHEN kind IN ('model_answered', 'call_finished') THEN chance % 1000 / 1e3 END AS duration,
        {_BODY} AS body, sha256(CAST(seq AS VARCHAR)) AS prev, sha256(CAST(seq + 1 AS VARCHAR)) AS hash
    FROM ({_ROWS})"""


def write(folder: Path, runs: int) -> None:
    """Make a workspace with so many runs of this user, of `EVENTS` events each, over half a year."""
    connection = database.connect(folder / database.FILE)
    cursor = connection.cursor()
    apart = _DAYS * 86_400 * 10**6 // (runs * EVENTS)
    for begin in range(0, runs, _PART):
        ends = min(begin + _PART, runs) * EVENTS
        values = {"begin": begin * EVENTS, "end": ends, "events": EVENTS, "waiting": WAITING}
        query = _INSERT.format(**values, apart=apart, user=current_user().replace("'", "''"))
        cursor.execute(query)
    cursor.execute("CHECKPOINT")
    cursor.close()
    connection.close()
