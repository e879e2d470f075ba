"""The first schema: deliveries, prepared messages, the ledger, receipts, audiences, opt-outs."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE smsflow_delivery_moves (
    current text NOT NULL,
    target  text NOT NULL,
    PRIMARY KEY (current, target)
);
COMMENT ON TABLE smsflow_delivery_moves IS 'Every move a delivery may make; the trigger below refuses all others.';
INSERT INTO smsflow_delivery_moves (current, target) VALUES
    ('draft', 'preparing'),
    ('preparing', 'preparing'), ('preparing', 'ready'), ('preparing', 'preparation_failed'), ('preparing', 'draft'),
    ('preparation_failed', 'preparing'),
    ('ready', 'preparing'), ('ready', 'approved'), ('ready', 'rejected'), ('ready', 'expired'),
    ('approved', 'preparing'), ('approved', 'sending'), ('approved', 'stopped'), ('approved', 'expired'),
    ('rejected', 'preparing'),
    ('expired', 'preparing'),
    ('sending', 'paused'), ('sending', 'finished'), ('sending', 'stopped'),
    ('paused', 'sending'), ('paused', 'stopped'),
    ('finished', 'sending');

CREATE TABLE smsflow_deliveries (
    no            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            text NOT NULL UNIQUE,
    kind          text NOT NULL CHECK (kind IN ('campaign', 'direct')),
    label         text NOT NULL,
    dag_id        text NOT NULL DEFAULT '',
    run_id        text NOT NULL DEFAULT '',
    task_id       text NOT NULL DEFAULT '',
    map_index     integer NOT NULL DEFAULT -1,
    gateway       text NOT NULL DEFAULT '',
    dry_run       boolean NOT NULL DEFAULT false,
    state         text NOT NULL DEFAULT 'draft',
    preparation   bigint NOT NULL DEFAULT 0,
    fingerprint   text,
    template      jsonb NOT NULL DEFAULT '{}',
    settings      jsonb NOT NULL DEFAULT '{}',
    audience      jsonb NOT NULL DEFAULT '{}',
    figures       jsonb NOT NULL DEFAULT '{}',
    targeted      bigint NOT NULL DEFAULT 0,
    excluded      bigint NOT NULL DEFAULT 0,
    to_deliver    bigint NOT NULL DEFAULT 0,
    parts         bigint NOT NULL DEFAULT 0,
    validity_s    bigint,
    expires_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL DEFAULT '',
    prepared_at   timestamptz,
    sending_at    timestamptz,
    ended_at      timestamptz,
    moved_at      timestamptz NOT NULL DEFAULT now(),
    moved_by      text NOT NULL DEFAULT ''
);
CREATE INDEX smsflow_deliveries_created_v1 ON smsflow_deliveries (created_at DESC, no DESC);
CREATE INDEX smsflow_deliveries_run_v1 ON smsflow_deliveries (dag_id, run_id);

CREATE FUNCTION smsflow_check_move_v1() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM smsflow_delivery_moves WHERE current = OLD.state AND target = NEW.state) THEN
        RAISE EXCEPTION 'a delivery cannot move from % to %', OLD.state, NEW.state USING ERRCODE = 'SF001';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER smsflow_deliveries_move_v1 BEFORE UPDATE OF state ON smsflow_deliveries
    FOR EACH ROW EXECUTE FUNCTION smsflow_check_move_v1();

-- Every try at preparing a delivery has a number of its own. The delivery points to its current one.
CREATE TABLE smsflow_preparations (
    no            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_no   bigint NOT NULL REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    begun_at      timestamptz NOT NULL DEFAULT now(),
    published_at  timestamptz,
    dropped_at    timestamptz
);
CREATE INDEX smsflow_preparations_delivery_v1 ON smsflow_preparations (delivery_no, no);

-- Partitioned by preparation: filled at once, attached when published, dropped at once.
CREATE TABLE smsflow_messages (
    preparation   bigint NOT NULL,
    position      integer NOT NULL,
    phone         bigint NOT NULL,
    recipient_id  text NOT NULL,
    sender        text NOT NULL,
    body          text NOT NULL,
    encoding      text NOT NULL,
    parts         smallint NOT NULL,
    region        text NOT NULL
) PARTITION BY LIST (preparation);
CREATE TABLE smsflow_exclusions (
    preparation   bigint NOT NULL,
    row_number    integer NOT NULL,
    recipient_id  text NOT NULL,
    phone         bigint,
    reason        text NOT NULL,
    detail        text NOT NULL DEFAULT ''
) PARTITION BY LIST (preparation);
CREATE TABLE smsflow_marks (
    preparation   bigint NOT NULL,
    position      integer NOT NULL,
    attempt       smallint NOT NULL,
    epoch         bigint NOT NULL,
    marked_at     timestamptz NOT NULL DEFAULT now()
) PARTITION BY LIST (preparation);
CREATE TABLE smsflow_outcomes (
    preparation   bigint NOT NULL,
    position      integer NOT NULL,
    attempt       smallint NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('accepted', 'failed', 'unknown', 'cancelled', 'expired', 'not_sent')),
    code          text NOT NULL DEFAULT '',
    gateway_ref   text NOT NULL DEFAULT '',
    settled_at    timestamptz NOT NULL DEFAULT now()
) PARTITION BY LIST (preparation);
CREATE TABLE smsflow_receipts (
    preparation   bigint NOT NULL,
    position      integer NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('accepted', 'undelivered', 'delivered')),
    code          text NOT NULL DEFAULT '',
    gateway_ref   text NOT NULL DEFAULT '',
    received_at   timestamptz NOT NULL
) PARTITION BY LIST (preparation);
ALTER TABLE smsflow_messages   ADD PRIMARY KEY (preparation, position);
ALTER TABLE smsflow_exclusions ADD PRIMARY KEY (preparation, row_number);
ALTER TABLE smsflow_marks      ADD PRIMARY KEY (preparation, position, attempt);
ALTER TABLE smsflow_outcomes   ADD PRIMARY KEY (preparation, position, attempt);
ALTER TABLE smsflow_receipts   ADD PRIMARY KEY (preparation, position);

CREATE TABLE smsflow_chunks (
    preparation    bigint NOT NULL REFERENCES smsflow_preparations (no) ON DELETE CASCADE,
    chunk          integer NOT NULL,
    first_position integer NOT NULL,
    last_position  integer NOT NULL,
    next_position  integer NOT NULL,
    accepted       integer NOT NULL DEFAULT 0,
    failed         integer NOT NULL DEFAULT 0,
    unknown        integer NOT NULL DEFAULT 0,
    cancelled      integer NOT NULL DEFAULT 0,
    expired        integer NOT NULL DEFAULT 0,
    delivered      integer NOT NULL DEFAULT 0,
    undelivered    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (preparation, chunk)
) WITH (fillfactor = 50);

-- Who sends a delivery now. One lane today; a lane a worker later.
CREATE TABLE smsflow_leases (
    delivery_no   bigint NOT NULL REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    lane          integer NOT NULL DEFAULT 0,
    owner         text NOT NULL DEFAULT '',
    epoch         bigint NOT NULL DEFAULT 0,
    heartbeat_at  timestamptz,
    PRIMARY KEY (delivery_no, lane)
) WITH (fillfactor = 50);

CREATE TABLE smsflow_approvals (
    no            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_no   bigint NOT NULL REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    preparation   bigint NOT NULL,
    fingerprint   text NOT NULL,
    decision      text NOT NULL CHECK (decision IN ('send', 'reject')),
    decided_by    text NOT NULL CHECK (decided_by <> ''),
    comment       text NOT NULL DEFAULT '',
    via           text NOT NULL,
    decided_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    UNIQUE (delivery_no, preparation)
);

-- Open requests for a decision in Airflow, so that an answer can be held back while it is too early.
CREATE TABLE smsflow_reviews (
    delivery_no   bigint PRIMARY KEY REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    dag_id        text NOT NULL,
    run_id        text NOT NULL,
    task_id       text NOT NULL,
    map_index     integer NOT NULL,
    fingerprint   text NOT NULL,
    opened_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (dag_id, run_id, task_id, map_index)
);

CREATE TABLE smsflow_log (
    no            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_no   bigint NOT NULL REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    preparation   bigint NOT NULL,
    logged_at     timestamptz NOT NULL DEFAULT now(),
    level         text NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    event         text NOT NULL,
    problem       text NOT NULL,
    facts         jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX smsflow_log_delivery_v1 ON smsflow_log (delivery_no, no);

CREATE TABLE smsflow_receipt_inbox (
    no            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at   timestamptz NOT NULL,
    conn_type     text NOT NULL,
    delivery_no   bigint NOT NULL,
    preparation   bigint NOT NULL,
    position      bigint NOT NULL,
    kind          text NOT NULL,
    code          text NOT NULL DEFAULT '',
    gateway_ref   text NOT NULL DEFAULT ''
);
CREATE TABLE smsflow_stray_receipts (LIKE smsflow_receipt_inbox, problem text NOT NULL, PRIMARY KEY (no));

CREATE TABLE smsflow_audiences (
    name          text NOT NULL,
    version       integer NOT NULL,
    uri           text NOT NULL,
    row_count     bigint NOT NULL,
    columns       jsonb NOT NULL,
    fingerprint   text NOT NULL,
    dag_id        text NOT NULL DEFAULT '',
    run_id        text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);

CREATE TABLE smsflow_opt_outs (
    phone         bigint NOT NULL CHECK (phone BETWEEN 1000000 AND 999999999999999),
    scope         text NOT NULL DEFAULT '',
    reason        text NOT NULL DEFAULT '',
    source        text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (phone, scope)
);
COMMENT ON TABLE smsflow_opt_outs IS 'People who must get no campaign text. phone is E.164 without the plus; scope empty means every delivery.';

-- Secrets of the store itself: the keys that sign callback URLs. Every live key verifies, the newest signs.
CREATE TABLE smsflow_keys (
    no            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose       text NOT NULL,
    secret        bytea NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    retired_at    timestamptz
);
INSERT INTO smsflow_keys (purpose, secret)
    VALUES ('callback', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- The state of each message, derived. For looking at one delivery; figures come from smsflow_chunks.
CREATE VIEW smsflow_message_states AS
SELECT m.preparation, m.position, m.recipient_id, m.phone, m.parts,
       CASE
           WHEN r.kind IN ('delivered', 'undelivered') THEN r.kind
           WHEN o.kind = 'not_sent' THEN 'sending'
           WHEN o.kind IS NOT NULL AND (k.attempt IS NULL OR o.attempt >= k.attempt) THEN o.kind
           WHEN k.attempt IS NOT NULL THEN 'sending'
           ELSE 'prepared'
       END AS state,
       coalesce(nullif(r.code, ''), o.code, '') AS code,
       coalesce(nullif(r.gateway_ref, ''), o.gateway_ref, '') AS gateway_ref,
       coalesce(r.received_at, o.settled_at, k.marked_at) AS changed_at
  FROM smsflow_messages m
  LEFT JOIN LATERAL (SELECT attempt, marked_at FROM smsflow_marks
                      WHERE preparation = m.preparation AND position = m.position
                      ORDER BY attempt DESC LIMIT 1) k ON true
  LEFT JOIN LATERAL (SELECT attempt, kind, code, gateway_ref, settled_at FROM smsflow_outcomes
                      WHERE preparation = m.preparation AND position = m.position
                      ORDER BY attempt DESC LIMIT 1) o ON true
  LEFT JOIN smsflow_receipts r ON r.preparation = m.preparation AND r.position = m.position;
"""

TABLES = (
    "smsflow_keys", "smsflow_opt_outs", "smsflow_audiences", "smsflow_stray_receipts", "smsflow_receipt_inbox",
    "smsflow_log", "smsflow_reviews", "smsflow_approvals", "smsflow_leases", "smsflow_chunks", "smsflow_receipts",
    "smsflow_outcomes", "smsflow_marks", "smsflow_exclusions", "smsflow_messages", "smsflow_preparations", "smsflow_deliveries",
    "smsflow_delivery_moves",
)


def upgrade() -> None:
    # The driver itself: no parameters, so that a percent sign is just that.
    op.get_bind().connection.driver_connection.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP VIEW smsflow_message_states")
    for table in TABLES:
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute("DROP FUNCTION smsflow_check_move_v1")
