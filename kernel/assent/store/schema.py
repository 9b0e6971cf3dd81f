"""The journal's table, its views, and the steps that bring an older workspace up to date."""

VERSION = 2

# Names and types; the order is part of the hash chain, so new ones come at the end.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("seq", "BIGINT"),
    ("time", "TIMESTAMP"),
    ("kind", "VARCHAR"),
    ("run", "VARCHAR"),
    ("parent", "VARCHAR"),
    ("step", "INTEGER"),
    ("tenant", "VARCHAR"),
    ("user", "VARCHAR"),
    ("agent", "VARCHAR"),
    ("notebook", "VARCHAR"),
    ("cell", "VARCHAR"),
    ("model", "VARCHAR"),
    ("tool", "VARCHAR"),
    ("call", "VARCHAR"),
    ("privilege", "VARCHAR"),
    ("decision", "VARCHAR"),
    ("input_tokens", "BIGINT"),
    ("output_tokens", "BIGINT"),
    ("cached_tokens", "BIGINT"),
    ("reasoning_tokens", "BIGINT"),
    ("cost", "DECIMAL(18,9)"),
    ("duration", "DOUBLE"),
    ("body", "JSON"),
    ("prev", "VARCHAR"),
    ("hash", "VARCHAR"),
    ("batch", "VARCHAR"),  # since version 2: which writer's which commit; NULL in older rows
)
NAMES = tuple(name for name, _ in COLUMNS)

TABLE = "events"
SELECT = "SELECT " + ", ".join("epoch_us(time)" if name == "time" else f'"{name}"' for name in NAMES) + " FROM events"

_REFUSE = "INSERT INTO refusals SELECT error('The journal is append only: events are neither changed nor deleted.')"

MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        "CREATE TABLE events (" + ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS[:25]) + ")",
        "CREATE TABLE refusals (reason VARCHAR)",
        f"CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events FOR EACH STATEMENT {_REFUSE}",
        f"CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events FOR EACH STATEMENT {_REFUSE}",
    ),
    2: ("ALTER TABLE events ADD COLUMN batch VARCHAR",),
}

_LIFECYCLE = (
    "('run_started', 'run_resumed', 'run_suspended', 'run_paused', 'run_finished', 'run_cancelled', 'run_failed')"
)

# Views hold no data, so they are simply made again whenever a workspace is opened for writing.
VIEWS: dict[str, str] = {
    "runs": f"""
        SELECT run,
            any_value(agent) AS agent,
            CASE arg_max(kind, seq) FILTER (kind IN {_LIFECYCLE})
                WHEN 'run_finished' THEN 'finished' WHEN 'run_cancelled' THEN 'cancelled'
                WHEN 'run_failed' THEN 'failed' WHEN 'run_suspended' THEN 'suspended'
                WHEN 'run_paused' THEN 'paused' ELSE 'running' END AS status,
            any_value(body ->> 'prompt') FILTER (kind = 'run_started') AS prompt,
            arg_max(body ->> 'text', seq) FILTER (kind = 'run_finished') AS answer,
            arg_max(coalesce(body ->> 'error', body ->> 'reason', ''), seq) FILTER (kind IN {_LIFECYCLE}) AS reason,
            arg_max(model, seq) FILTER (model IS NOT NULL) AS model,
            min(time) AS started,
            max(time) AS ended,
            count(*) FILTER (kind = 'model_answered') AS steps,
            count(*) FILTER (kind = 'call_decided') AS calls,
            sum(input_tokens) AS input_tokens,
            sum(output_tokens) AS output_tokens,
            sum(cost) AS cost,
            epoch(max(time) - min(time)) AS seconds,
            any_value(notebook) AS notebook, any_value(cell) AS cell,
            any_value("user") AS "user", any_value(parent) AS parent
        FROM events WHERE run IS NOT NULL GROUP BY run ORDER BY started""",
    "steps": """
        SELECT run, step, time, agent, model,
            array_to_string(list_transform(
                list_filter(CAST(body -> '$.message.parts' AS JSON[]), lambda part: (part ->> 'kind') = 'text'),
                lambda part: part ->> 'text'), '') AS text,
            list_transform(
                list_filter(CAST(body -> '$.message.parts' AS JSON[]), lambda part: (part ->> 'kind') = 'call'),
                lambda part: part ->> 'name') AS tools,
            body ->> 'stop' AS stop,
            input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost, duration
        FROM events WHERE kind = 'model_answered' ORDER BY seq""",
    "tool_calls": """
        SELECT call, any_value(run) AS run, any_value(step) AS step, any_value(agent) AS agent,
            any_value(tool) AS tool, any_value(privilege) AS privilege,
            arg_max(body -> 'arguments', seq) FILTER (json_type(body, '$.arguments') = 'OBJECT') AS arguments,
            arg_max(decision, seq) FILTER (kind = 'call_decided') AS decision,
            arg_max(decision, seq) FILTER (kind = 'approval_decided') AS verdict,
            arg_max(body ->> 'by', seq) FILTER (kind = 'approval_decided') AS decided_by,
            CASE arg_max(kind, seq)
                WHEN 'call_finished' THEN
                    CASE WHEN arg_max(CAST(body ->> 'error' AS BOOLEAN), seq) FILTER (kind = 'call_finished')
                        THEN 'failed' ELSE 'finished' END
                WHEN 'call_started' THEN 'started'
                WHEN 'approval_decided' THEN
                    CASE WHEN arg_max(decision, seq) <> 'approve' THEN 'decided'
                        WHEN arg_max(CAST(body ->> 'missing' AS INTEGER), seq) > 0 THEN 'waiting'
                        ELSE 'approved' END
                WHEN 'call_decided' THEN CASE WHEN arg_max(decision, seq) = 'ask' THEN 'waiting' ELSE 'decided' END
                END AS status,
            min(time) FILTER (kind = 'call_started') AS started,
            max(duration) FILTER (kind = 'call_finished') AS seconds,
            arg_max(body ->> 'text', seq) FILTER (kind = 'call_finished') AS result
        FROM events WHERE call IS NOT NULL GROUP BY call ORDER BY min(seq)""",
    "approvals": """
        SELECT asked.call, asked.run, asked.agent, asked.tool, asked.privilege, asked.step,
            asked.body -> 'arguments' AS arguments, asked.body ->> 'reason' AS asks, asked.time AS asked,
            CASE WHEN answer.kind = 'approval_decided' THEN answer.decision
                WHEN answer.kind IS NOT NULL THEN 'closed' ELSE 'pending' END AS verdict,
            answer.body ->> 'by' AS decided_by, answer.body ->> 'reason' AS reason, answer.time AS decided,
            nullif(CAST(answer.body -> 'arguments' AS VARCHAR), 'null') AS edited, answer.body ->> 'scope' AS scope,
            epoch(answer.time - asked.time) AS waited
        FROM events AS asked
        LEFT JOIN LATERAL (
            SELECT * FROM events AS later WHERE later.call = asked.call AND later.seq > asked.seq
                AND later.kind IN ('approval_decided', 'call_decided', 'call_finished')
                AND coalesce(CAST(later.body ->> 'missing' AS INTEGER), 0) = 0
            ORDER BY later.seq LIMIT 1
        ) AS answer ON true
        WHERE asked.kind = 'call_decided' AND asked.decision = 'ask' ORDER BY asked.seq""",
    "costs": """
        SELECT time, date_trunc('hour', time) AS hour, split_part(model, ':', 1) AS provider, model, agent, run, step,
            notebook, cell, "user", input_tokens, output_tokens, cached_tokens, reasoning_tokens,
            CAST(body ->> 'cache_write' AS BIGINT) AS cache_write_tokens, cost,
            CAST(body ->> 'saved' AS DECIMAL(18,9)) AS saved, duration
        FROM events WHERE kind = 'model_answered' ORDER BY seq""",
    "unpriced": """
        SELECT split_part(model, ':', 1) AS provider, model, count(*) AS answers, sum(input_tokens) AS input_tokens,
            sum(output_tokens) AS output_tokens, min(time) AS first, max(time) AS last
        FROM events WHERE kind = 'model_answered' AND cost IS NULL GROUP BY model ORDER BY model""",
    "incidents": """
        SELECT time, run, step, agent, split_part(model, ':', 1) AS provider, model,
            CASE kind WHEN 'model_failed' THEN 'failed' WHEN 'model_retried' THEN 'retried'
                WHEN 'model_waited' THEN 'waited' WHEN 'model_cached' THEN 'cached'
                WHEN 'model_fell_back' THEN 'fell back' WHEN 'circuit_opened' THEN 'circuit opened'
                WHEN 'circuit_closed' THEN 'circuit closed' ELSE 'answer refused' END AS incident,
            coalesce(body ->> 'reason', body ->> 'error', body ->> 'text') AS reason,
            body ->> 'to' AS "to", coalesce(CAST(body ->> 'restart' AS BOOLEAN), false) AS restart, duration AS seconds,
            notebook, cell, "user"
        FROM events WHERE kind IN ('model_failed', 'model_retried', 'model_waited', 'model_cached', 'model_fell_back',
            'circuit_opened', 'circuit_closed', 'answer_refused') ORDER BY seq""",
    "notebooks": """
        WITH placed AS (
            SELECT seq, time, notebook AS path, body ->> 'id' AS id FROM events WHERE kind = 'notebook_placed'
        ), begun AS (
            SELECT run, seq, time, notebook AS path FROM events WHERE kind = 'run_started' AND notebook IS NOT NULL
        ), known AS (
            SELECT seq, time, path, id, NULL AS run FROM placed
            UNION ALL SELECT begun.seq, begun.time, begun.path, placed.id, begun.run
            FROM begun ASOF LEFT JOIN placed ON begun.path = placed.path AND begun.seq >= placed.seq
        )
        SELECT id, arg_max(path, seq) AS path, min(time) AS first, max(time) AS last,
            coalesce(list(run ORDER BY seq) FILTER (run IS NOT NULL), []) AS runs
        FROM known GROUP BY id, CASE WHEN id IS NULL THEN path END ORDER BY first""",
}
