"""The journal's table, its views, and the steps that bring an older workspace up to date."""

from assent.core.events import LIFECYCLE

VERSION = 4

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

# What is remembered, beside the journal: each text of a tenant once, what says it where, and parts of the index.
TEXTS, ITEMS, SEGMENTS = "memory_texts", "memory_items", "memory_segments"
BESIDE = {
    TEXTS: "number",
    ITEMS: "id",
    SEGMENTS: "name",
}  # what a row is known by; it does not change while it is there

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
    3: ("ALTER TABLE schema_version ADD COLUMN views VARCHAR",),  # the digest of those that the file has
    4: (
        f"CREATE TABLE {TEXTS} (number BIGINT, tenant VARCHAR, digest BLOB, title VARCHAR, text VARCHAR)",
        f"""CREATE TABLE {ITEMS} (id VARCHAR, number BIGINT, time TIMESTAMP, tenant VARCHAR, "user" VARCHAR,
            agent VARCHAR, notebook VARCHAR, run VARCHAR, kind VARCHAR, collection VARCHAR, source VARCHAR,
            part INTEGER, place VARCHAR, tags VARCHAR[], dated TIMESTAMP, taint VARCHAR)""",
        f"""CREATE TABLE {SEGMENTS} (name VARCHAR, tenant VARCHAR, shape VARCHAR, passages INTEGER, part INTEGER,
            data BLOB)""",
    ),
}

# A session that may not see everything reads through the views of two more schemas: those below once more, over its
# part of the events. Which part, variables of its connection say; one that is not set lets nothing through.
SCOPED = "scoped"  # for queries of our own
FENCED = "fenced"  # for what users write
SCOPES = ("tenant", "user", "agent", "notebook")
EVERY = "*"  # the variable's value where the column is not narrowed
_MINE = " AND ".join(
    f"""(getvariable('{SCOPED}_{name}') = '{EVERY}' OR "{name}" = getvariable('{SCOPED}_{name}'))""" for name in SCOPES
)
# No condition moves into a subquery with a LIMIT: none of the user's, and no error that one raises, meets a row that is
# not the session's. The limit itself costs nothing, since the optimizer drops it afterwards.
_FENCE = f"LIMIT {2**63 - 1}"


def views(database: str) -> list[str]:
    """The statements that make all views of a database anew."""
    statements = [f'CREATE OR REPLACE VIEW "{name}" AS {query}' for name, query in VIEWS.items()]
    statements += [f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in (SCOPED, FENCED)]
    mine = [(name, f'SELECT * FROM "{database}".main.{name} WHERE {_MINE}') for name in (TABLE, ITEMS)]
    texts = f'SELECT * FROM "{database}".main.{TEXTS} WHERE number IN (SELECT number FROM {SCOPED}.{ITEMS})'
    for name, query in (*mine, (TEXTS, texts), *VIEWS.items()):
        statements.append(f'CREATE OR REPLACE VIEW {SCOPED}."{name}" AS {query}')
        statements.append(f'CREATE OR REPLACE VIEW {FENCED}."{name}" AS SELECT * FROM {SCOPED}."{name}" {_FENCE}')
    return statements


# The condition that an event says where its run stands.
IN_LIFECYCLE = "kind IN (" + ", ".join([f"'{kind}'" for kind in sorted(LIFECYCLE)]) + ")"


def runs_where(condition: str) -> str:
    """The query of the view `runs`, in no order, over the events that fit `condition` alone: runs as a whole.

    Whoever wants a few of very many runs says so here: a view aggregates all of them before it is filtered.
    """
    # CASE, not FILTER alone, around what is read from a body: what FILTER leaves out is computed all the same.
    return f"""
        SELECT run,
            any_value(agent) AS agent,
            CASE arg_max(kind, seq) FILTER ({IN_LIFECYCLE})
                WHEN 'run_finished' THEN 'finished' WHEN 'run_cancelled' THEN 'cancelled'
                WHEN 'run_failed' THEN 'failed' WHEN 'run_suspended' THEN 'suspended'
                WHEN 'run_paused' THEN 'paused' ELSE 'running' END AS status,
            any_value(CASE kind WHEN 'run_started' THEN body ->> 'prompt' END) AS prompt,
            arg_max(CASE kind WHEN 'run_finished' THEN body ->> 'text' END, seq) AS answer,
            arg_max(CASE WHEN {IN_LIFECYCLE} THEN coalesce(body ->> 'error', body ->> 'reason', '') END, seq)
                AS reason,
            arg_max(model, seq) FILTER (model IS NOT NULL) AS model,
            arg_min(time, seq) AS started,
            arg_max(time, seq) AS ended,
            count(*) FILTER (kind = 'model_answered') AS steps,
            count(*) FILTER (kind = 'call_decided') AS calls,
            sum(input_tokens) AS input_tokens,
            sum(output_tokens) AS output_tokens,
            sum(cost) AS cost,
            greatest(epoch(arg_max(time, seq) - arg_min(time, seq)), 0) AS seconds,
            any_value(notebook) AS notebook, any_value(cell) AS cell,
            any_value(tenant) AS tenant, any_value("user") AS "user", any_value(parent) AS parent,
            any_value(CASE kind WHEN 'run_started' THEN body ->> '$.fork.run' END) AS forked_from,
            coalesce(arg_max(CASE WHEN kind IN ('run_started', 'run_resumed') THEN body ->> 'mode' END, seq), 'auto')
                AS mode
        FROM events WHERE {condition} GROUP BY run"""


VIEWS: dict[str, str] = {
    "runs": runs_where("run IS NOT NULL") + " ORDER BY min(seq)",
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
        SELECT call, run, any_value(step) AS step, any_value(agent) AS agent,
            any_value(tool) AS tool, any_value(privilege) AS privilege,
            arg_max(CASE WHEN kind <> 'call_finished' AND json_type(body, '$.arguments') = 'OBJECT'
                THEN body -> 'arguments' END, seq) AS arguments,
            arg_max(decision, seq) FILTER (kind = 'call_decided') AS decision,
            arg_max(decision, seq) FILTER (kind = 'approval_decided') AS verdict,
            arg_max(CASE kind WHEN 'approval_decided' THEN body ->> 'by' END, seq) AS decided_by,
            CASE arg_max(kind, seq)
                WHEN 'call_finished' THEN
                    CASE WHEN arg_max(CASE kind WHEN 'call_decided' THEN coalesce(body ->> 'dry', '') END, seq) <> ''
                        THEN 'not performed'
                        WHEN arg_max(CASE kind WHEN 'call_finished' THEN CAST(body ->> 'error' AS BOOLEAN) END, seq)
                        THEN 'failed' ELSE 'finished' END
                WHEN 'call_started' THEN 'started' WHEN 'approval_expired' THEN 'expired'
                WHEN 'approval_decided' THEN
                    CASE WHEN arg_max(decision, seq) <> 'approve' THEN 'decided'
                        WHEN arg_max(CASE kind WHEN 'approval_decided' THEN CAST(body ->> 'missing' AS INTEGER) END,
                            seq) > 0 THEN 'waiting'
                        ELSE 'approved' END
                WHEN 'call_decided' THEN CASE WHEN arg_max(decision, seq) = 'ask' THEN 'waiting' ELSE 'decided' END
                END AS status,
            min(time) FILTER (kind = 'call_started') AS started,
            max(duration) FILTER (kind = 'call_finished') AS seconds,
            arg_max(CASE kind WHEN 'call_finished' THEN body ->> 'text' END, seq) AS result,
            any_value(CASE kind WHEN 'call_decided' THEN body ->> 'proposed_by' END) AS proposed_by,
            arg_max(CASE kind WHEN 'call_decided' THEN coalesce(body ->> 'grant', '') END, seq) AS "grant"
        FROM events WHERE call IS NOT NULL GROUP BY call, run ORDER BY min(seq)""",
    "approvals": """
        SELECT asked.call, asked.run, asked.agent, asked.tool, asked.privilege, asked.step,
            asked.body -> 'arguments' AS arguments, asked.body ->> 'reason' AS asks, asked.time AS asked,
            CASE WHEN answer.kind = 'approval_decided' THEN answer.decision
                WHEN answer.kind = 'approval_expired' THEN 'expired' WHEN answer.kind IS NOT NULL THEN 'closed'
                WHEN epoch(now()) >= CAST(asked.body ->> 'until' AS DOUBLE) THEN 'expired' ELSE 'pending'
                END AS verdict,
            answer.body ->> 'by' AS decided_by, answer.body ->> 'reason' AS reason, answer.time AS decided,
            nullif(CAST(answer.body -> 'arguments' AS VARCHAR), 'null') AS edited, answer.body ->> 'scope' AS scope,
            CASE WHEN answer.time IS NOT NULL THEN greatest(epoch(answer.time - asked.time), 0) END AS waited,
            make_timestamp(CAST(CAST(asked.body ->> 'until' AS DOUBLE) * 1000000 AS BIGINT)) AS until
        FROM events AS asked
        LEFT JOIN LATERAL (
            SELECT * FROM events AS later WHERE later.call = asked.call AND later.seq > asked.seq
                AND later.kind IN ('approval_decided', 'approval_expired', 'call_decided', 'call_finished')
                AND coalesce(CAST(later.body ->> 'missing' AS INTEGER), 0) = 0
            ORDER BY later.seq LIMIT 1
        ) AS answer ON true
        WHERE asked.kind = 'call_decided' AND asked.decision = 'ask' ORDER BY asked.seq""",
    "grants": """
        SELECT given.body ->> 'id' AS id, given.body ->> 'scope' AS scope, given.tool, given.agent, given."user",
            given.body ->> 'by' AS "by", given.time AS given,
            make_timestamp(CAST(given.until * 1000000 AS BIGINT)) AS until,
            CASE WHEN ended.seq IS NOT NULL THEN if((ended.body ->> 'by') = '', 'over', 'revoked')
                WHEN epoch(now()) >= given.until THEN 'expired'
                WHEN (given.body ->> 'scope') = 'run' AND EXISTS (
                    SELECT 1 FROM events AS done WHERE done.run = given.run AND done.kind = 'run_finished') THEN 'over'
                ELSE 'holds' END AS status,
            ended.time AS revoked, nullif(ended.body ->> 'by', '') AS revoked_by,
            given.run, given.body ->> 'session' AS session, given.body ->> 'policy_version' AS policy_version,
            given.body ->> 'identity' AS identity, given.tenant
        FROM (  -- one from before all had an end lasts as long as they do now
            SELECT *, coalesce(CAST(body ->> 'until' AS DOUBLE), epoch(time) + 12 * 3600) AS until
            FROM events WHERE kind = 'grant_given'
        ) AS given
        LEFT JOIN LATERAL (
            SELECT * FROM events AS later WHERE later.run = given.run AND later.seq > given.seq
                AND later.kind IN ('grant_given', 'grant_revoked') AND (later.body ->> 'id') = (given.body ->> 'id')
            ORDER BY later.seq LIMIT 1
        ) AS ended ON true
        ORDER BY given.seq""",
    # An act of a person or of the policy in each row; what became of a call stands beside what was decided of it.
    "audit": """
        WITH acts AS (
            SELECT *, sum(if(kind = 'call_decided', 1, 0)) OVER (PARTITION BY run, call ORDER BY seq) AS round
            FROM events WHERE kind IN ('run_started', 'call_decided', 'approval_decided', 'approval_expired',
                'call_started', 'grant_given', 'grant_revoked', 'waiver_granted', 'waiver_ended', 'budget_waived',
                'source_trusted', 'trust_revoked', 'variable_marked', 'stop_requested', 'agent_defined', 'compacted',
                'chain_signed')
        ), became AS (
            SELECT run, call, round, min(time) FILTER (kind = 'call_started') AS performed,
                list(body ->> 'by' ORDER BY seq) FILTER (kind = 'approval_decided' AND decision = 'approve') AS approved
            FROM acts WHERE call IS NOT NULL GROUP BY ALL
        )
        SELECT acts.seq, acts.time, acts.kind AS act,
            coalesce(body ->> 'by', CASE kind WHEN 'call_decided' THEN 'policy' WHEN 'approval_expired' THEN NULL
                WHEN 'call_started' THEN NULL ELSE "user" END) AS "by",
            acts.tool, acts.privilege, acts.decision, coalesce(became.approved, []) AS approved_by, became.performed,
            body ->> 'rule' AS rule, coalesce(body ->> 'grant', CASE WHEN kind IN ('grant_given', 'grant_revoked')
                THEN body ->> 'id' END) AS "grant",
            CASE WHEN kind IN ('waiver_granted', 'waiver_ended') THEN body ->> 'id'
                ELSE coalesce(body ->> 'waiver', split_part(list_filter(
                    CAST(coalesce(body -> 'notes', '[]') AS JSON[]), lambda note: (note ->> 0) = 'Waiver')[1] ->> 1,
                    ' ', 1)) END AS waiver,
            body ->> 'reason' AS reason, body -> 'arguments' AS arguments, acts.call, acts.run, acts.agent, acts."user",
            acts.notebook, acts.cell, body ->> 'policy_version' AS policy_version, acts.hash
        FROM acts LEFT JOIN became ON acts.kind = 'call_decided' AND became.run = acts.run
            AND became.call = acts.call AND became.round = acts.round
        WHERE acts.kind <> 'call_started' ORDER BY acts.seq""",
    "costs": """
        SELECT time, date_trunc('hour', time) AS hour, split_part(model, ':', 1) AS provider, model, agent, run, step,
            notebook, cell, tenant, "user", input_tokens, output_tokens, cached_tokens, reasoning_tokens,
            CAST(body ->> 'cache_write' AS BIGINT) AS cache_write_tokens, cost,
            CAST(body ->> 'saved' AS DECIMAL(18,9)) AS saved, duration
        FROM events WHERE kind = 'model_answered' ORDER BY seq""",
    "unpriced": """
        SELECT split_part(model, ':', 1) AS provider, model, count(*) AS answers, sum(input_tokens) AS input_tokens,
            sum(output_tokens) AS output_tokens, min(time) AS first, max(time) AS last
        FROM events WHERE kind = 'model_answered' AND cost IS NULL GROUP BY model ORDER BY model""",
    # A request tells of the parts that its destination has not been told of, and carries all those told before, too:
    # those told since a process began with the first (begin 0), which a resume does anew.
    "egress": """
        WITH here AS (
            SELECT *, CAST(body -> 'asked' AS JSON[]) AS requests FROM events
            WHERE kind IN ('model_answered', 'model_failed') AND (body -> 'asked') IS NOT NULL
        ), each AS (
            SELECT *, seq * 1000 AS request FROM events WHERE kind = 'model_asked'
            UNION ALL
            SELECT * EXCLUDE (item, requests) REPLACE (item ->> 'model' AS model, item AS body)
            FROM (
                SELECT *, unnest(requests) AS item, seq * 1000 + generate_subscripts(requests, 1) AS request FROM here
            )
        ), asked AS (
            SELECT *, body ->> 'provider' AS provider, body ->> 'host' AS host,
                kind <> 'model_asked' AS local, sum(if(CAST(body -> 'begin' AS INTEGER) = 0, 1, 0))
                    OVER (PARTITION BY run, model ORDER BY request) AS told
            FROM each
        ), parts AS (
            SELECT run, model, told, request AS since, unnest(CAST(body -> 'parts' AS JSON[])) AS part FROM asked
        ), carried AS (
            SELECT asked.*, part, CAST(part -> 'message' AS INTEGER) AS message
            FROM asked JOIN parts ON asked.run = parts.run AND asked.model = parts.model AND asked.told = parts.told
                AND asked.request >= parts.since
        )
        SELECT time, model, part ->> 'what' AS what, part ->> 'name' AS name,
            CAST(coalesce(part -> 'tables', '[]') AS VARCHAR[]) AS tables,
            CAST(coalesce(part -> 'columns', '[]') AS VARCHAR[]) AS columns,
            CAST(part -> 'rows' AS BIGINT) AS rows, CAST(part -> 'total' AS BIGINT) AS of_rows,
            CAST(part -> 'bytes' AS BIGINT) AS bytes, body -> 'masked' AS masked,
            request > min(request) OVER (PARTITION BY run, provider, host, message, part ->> 'what', part ->> 'name')
                AS repeated,
            local, host, provider, run, step, agent, request, notebook, cell, "user"
        FROM carried ORDER BY request, message NULLS FIRST""",
    "local_only": """
        SELECT name, max(time) AS since, arg_max(body ->> 'by', seq) AS "by",
            CAST(coalesce(arg_max(body -> 'derived', seq), '[]') AS VARCHAR[]) AS made_of
        FROM (SELECT *, unnest(CAST(body -> 'names' AS VARCHAR[])) AS name FROM events WHERE kind = 'variable_marked')
        GROUP BY name HAVING arg_max(CAST(body -> 'local' AS BOOLEAN), seq) ORDER BY name""",
    "incidents": """
        SELECT time, run, step, agent, split_part(model, ':', 1) AS provider, model,
            CASE kind WHEN 'model_failed' THEN 'failed' WHEN 'model_retried' THEN 'retried'
                WHEN 'model_waited' THEN 'waited' WHEN 'model_cached' THEN 'cached'
                WHEN 'model_replayed' THEN 'replayed' WHEN 'model_fell_back' THEN 'fell back'
                WHEN 'circuit_opened' THEN 'circuit opened'
                WHEN 'circuit_closed' THEN 'circuit closed' ELSE 'answer refused' END AS incident,
            coalesce(body ->> 'reason', body ->> 'error', body ->> 'text') AS reason,
            body ->> 'to' AS "to", coalesce(CAST(body ->> 'restart' AS BOOLEAN), false) AS restart, duration AS seconds,
            notebook, cell, "user"
        FROM events WHERE kind IN ('model_failed', 'model_retried', 'model_waited', 'model_cached', 'model_replayed',
            'model_fell_back', 'circuit_opened', 'circuit_closed', 'answer_refused') ORDER BY seq""",
    "taint": """
        SELECT run, step, call, tool, source ->> 'source' AS source, source ->> 'name' AS name, time, agent, notebook,
            cell, "user", kind
        FROM (
            SELECT *, unnest(CAST(body -> 'taint' AS JSON[])) AS source FROM events
            WHERE kind IN ('run_started', 'call_finished', 'cell_ran') AND (body -> 'taint') IS NOT NULL
        ) ORDER BY seq""",
    "trust": """
        WITH revoked AS (
            SELECT body ->> 'id' AS id, tenant, "user", min(time) AS time, arg_min(body ->> 'by', seq) AS "by"
            FROM events WHERE kind = 'trust_revoked' GROUP BY ALL
        )
        SELECT given.body ->> 'id' AS trust, given.body ->> 'source' AS source, given.body ->> 'scope' AS scope,
            given.body ->> 'run' AS run, given."user", given.tenant, given.body ->> 'reason' AS reason,
            given.body ->> 'by' AS "by", given.time AS given,
            CAST(CAST(given.body ->> 'until' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS until,
            revoked.time AS revoked, revoked."by" AS revoked_by
        FROM events AS given
        LEFT JOIN revoked ON revoked.id = given.body ->> 'id' AND revoked.tenant = given.tenant
            AND revoked."user" = given."user"
        WHERE given.kind = 'source_trusted' ORDER BY given.seq""",
    "waivers": """
        WITH ended AS (
            SELECT body ->> 'id' AS id, tenant, "user", min(time) AS time, arg_min(body ->> 'by', seq) AS "by"
            FROM events WHERE kind = 'waiver_ended' GROUP BY ALL
        )
        SELECT given.body ->> 'id' AS waiver, given.tool, given.body ->> 'budget' AS budget, given.agent, given."user",
            given.tenant, given.body ->> 'reason' AS reason, given.body ->> 'by' AS "by", given.time AS given,
            CAST(CAST(given.body ->> 'until' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS until,
            ended.time AS ended, ended."by" AS ended_by
        FROM events AS given
        LEFT JOIN ended ON ended.id = given.body ->> 'id' AND ended.tenant = given.tenant
            AND ended."user" = given."user"
        WHERE given.kind = 'waiver_granted' ORDER BY given.seq""",
    "risk": """
        SELECT body ->> 'reservation' AS reservation, any_value(tool) AS tool, any_value(run) AS run,
            any_value(agent) AS agent, any_value("user") AS "user",
            CASE arg_max(kind, seq) WHEN 'risk_reserved' THEN 'reserved' WHEN 'risk_committed' THEN 'committed'
                ELSE 'rolled back' END AS status,
            any_value(body -> 'amounts') AS amounts, min(time) FILTER (kind = 'risk_reserved') AS reserved,
            max(time) FILTER (kind <> 'risk_reserved') AS settled,
            any_value(notebook) AS notebook, any_value(cell) AS cell, any_value(tenant) AS tenant
        FROM events WHERE kind IN ('risk_reserved', 'risk_committed', 'risk_rolled_back')
        GROUP BY body ->> 'reservation' ORDER BY min(seq)""",
    "memory": f"""
        SELECT items.id, items.kind, items.collection, items.source, items.place, texts.title, texts.text, items.tags,
            items.dated, items.time, items.agent, items."user", items.tenant, items.run, items.notebook
        FROM {ITEMS} AS items JOIN {TEXTS} AS texts ON texts.number = items.number AND texts.tenant = items.tenant
        ORDER BY items.time, items.source, items.part""",
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
    "writes": """
        WITH pieces AS (
            SELECT *, body -> 'touched' AS touched FROM events WHERE kind IN ('cell_ran', 'call_finished')
        ), written AS (
            SELECT *, unnest(list_concat(
                list_transform(CAST(touched -> 'bound' AS VARCHAR[]), lambda item: {'name': item, 'how': 'bound'}),
                list_transform(CAST(touched -> 'changed' AS VARCHAR[]), lambda item: {'name': item, 'how': 'changed'}),
                list_transform(CAST(touched -> 'deleted' AS VARCHAR[]), lambda item: {'name': item, 'how': 'deleted'}),
                list_transform(CAST(touched -> 'files' AS VARCHAR[]), lambda item: {'name': item, 'how': 'saved'}),
                list_transform(CAST(touched -> 'removed' AS VARCHAR[]), lambda item: {'name': item, 'how': 'removed'})
            )) AS what
            FROM pieces WHERE touched IS NOT NULL
        )
        SELECT what.name AS name, what.how AS how, time, if(kind = 'cell_ran', 'cell', 'call') AS "by", notebook, cell,
            CAST(body ->> 'count' AS INTEGER) AS count, body ->> 'source' AS source,
            coalesce(run, body ->> 'run') AS run, agent, step, call, "user", touched ->> 'kernel' AS kernel, seq
        FROM written ORDER BY seq""",
}
