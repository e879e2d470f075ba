"""Sending at full strength: chunk leases, routes, pace, the switch, caps, circuits, references, replies, archives."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Every new column has a default or may be null: a sender of the former version goes on meanwhile.
UPGRADE = """
-- First what a tick locks first: it ends before this goes on, and the next one waits.
LOCK TABLE smsflow_leases IN ACCESS EXCLUSIVE MODE;

-- Chunk leases: the epoch of the worker that holds a chunk; null: nobody. Epochs are unique in a store.
-- waiting: messages of the chunk that certainly did not leave and wait for another attempt.
CREATE SEQUENCE smsflow_epochs START 1000000000;
ALTER TABLE smsflow_chunks
    ADD COLUMN epoch   bigint,
    ADD COLUMN waiting integer NOT NULL DEFAULT 0;
UPDATE smsflow_chunks c SET waiting = w.waiting
  FROM (SELECT last.preparation, (last.position - 1) / 1000 AS chunk, count(*)::int AS waiting
          FROM (SELECT DISTINCT ON (o.preparation, o.position) o.preparation, o.position, o.attempt, o.kind
                  FROM smsflow_outcomes o
                  JOIN smsflow_deliveries d ON d.preparation = o.preparation AND d.state IN ('sending', 'paused')
                 ORDER BY o.preparation, o.position, o.attempt DESC) AS last
         WHERE last.kind = 'not_sent'
           AND NOT EXISTS (SELECT FROM smsflow_marks k WHERE k.preparation = last.preparation
                              AND k.position = last.position AND k.attempt > last.attempt)
         GROUP BY 1, 2) AS w
 WHERE c.preparation = w.preparation AND c.chunk = w.chunk;

-- Through which of a delivery's gateways a message was handed over: 0 its own, 1 the one it fails over to.
ALTER TABLE smsflow_marks ADD COLUMN route smallint NOT NULL DEFAULT 0;

-- Why a delivery is paused, which wave it is in, and the last position that may leave now (null: all).
-- judged_from: what a person accepted who resumed a delivery with too many failures: counted from there.
ALTER TABLE smsflow_deliveries
    ADD COLUMN pause_reason text NOT NULL DEFAULT '',
    ADD COLUMN wave         smallint NOT NULL DEFAULT 0,
    ADD COLUMN wave_until   integer,
    ADD COLUMN wave_ended_at timestamptz,
    ADD COLUMN judged_from  jsonb NOT NULL DEFAULT '{}';
CREATE INDEX smsflow_deliveries_open_v1 ON smsflow_deliveries (no) WHERE state IN ('sending', 'paused');
CREATE INDEX smsflow_opt_outs_created_v1 ON smsflow_opt_outs (created_at);

-- Pace. Unlogged: emptied by a crash of the server, and a bucket that is missing starts a second later.
CREATE UNLOGGED TABLE smsflow_pace (
    bucket          text PRIMARY KEY,
    next_at         timestamptz NOT NULL,
    -- How much of the limit is used now, 0 to 1: halved by a throttling answer, and grown again.
    factor          double precision NOT NULL DEFAULT 1,
    throttled_at    timestamptz,
    closed_until    timestamptz,
    seen_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Who had how much, what was granted within the last second, and a rate that was learnt.
    memory          jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- The switch that silences every delivery. One row.
CREATE TABLE smsflow_switch (
    no          smallint PRIMARY KEY CHECK (no = 1),
    is_off      boolean NOT NULL DEFAULT false,
    reason      text NOT NULL DEFAULT '',
    switched_by text NOT NULL DEFAULT '',
    switched_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO smsflow_switch (no) VALUES (1);

-- Parts that senders have set aside of the daily cap over all deliveries, by day (UTC).
CREATE TABLE smsflow_daily (
    day   date PRIMARY KEY,
    parts bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- One circuit a gateway connection: open until then, nothing is handed over but a probe.
CREATE TABLE smsflow_circuits (
    gateway     text PRIMARY KEY,
    open_until  timestamptz,
    failures    integer NOT NULL DEFAULT 0,
    code        text NOT NULL DEFAULT '',
    changed_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Messages by the gateway's own id, for gateways that report by nothing else.
CREATE TABLE smsflow_references (
    gateway     text NOT NULL,
    gateway_ref text NOT NULL,
    preparation bigint NOT NULL,
    position    integer NOT NULL,
    PRIMARY KEY (gateway, gateway_ref)
);
CREATE INDEX smsflow_references_preparation_v1 ON smsflow_references (preparation);

-- Receipts: the connection they came in by, and which part a report is about.
ALTER TABLE smsflow_receipt_inbox
    ADD COLUMN gateway  text NOT NULL DEFAULT '',
    ADD COLUMN part     smallint NOT NULL DEFAULT 0,
    ADD COLUMN parts    smallint NOT NULL DEFAULT 0;
ALTER TABLE smsflow_stray_receipts
    ADD COLUMN gateway  text NOT NULL DEFAULT '',
    ADD COLUMN part     smallint NOT NULL DEFAULT 0,
    ADD COLUMN parts    smallint NOT NULL DEFAULT 0;
-- Reports that name the gateway's own id only: an inbox of their own, for they may wait for days until it is
-- known, and a former version would take them for strays. Numbered like the other one: both end as strays.
CREATE TABLE smsflow_receipts_by_ref (
    no          bigint PRIMARY KEY DEFAULT nextval('smsflow_receipt_inbox_no_seq'),
    received_at timestamptz NOT NULL,
    retry_at    timestamptz NOT NULL,
    conn_type   text NOT NULL,
    gateway     text NOT NULL,
    gateway_ref text NOT NULL,
    kind        text NOT NULL,
    code        text NOT NULL DEFAULT '',
    part        smallint NOT NULL DEFAULT 0,
    parts       smallint NOT NULL DEFAULT 0
);
CREATE INDEX smsflow_receipts_by_ref_due_v1 ON smsflow_receipts_by_ref (retry_at);
CREATE TABLE smsflow_receipt_parts (
    preparation bigint NOT NULL,
    position    integer NOT NULL,
    part        smallint NOT NULL,
    parts       smallint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('accepted', 'undelivered', 'delivered')),
    code        text NOT NULL DEFAULT '',
    PRIMARY KEY (preparation, position, part)
);

-- Replies, kept whole. keyword and action say what was understood: opt_out, opt_in or nothing.
CREATE TABLE smsflow_replies (
    no          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway     text NOT NULL,
    gateway_ref text NOT NULL DEFAULT '',
    phone       bigint,
    sender      text NOT NULL DEFAULT '',
    recipient   text NOT NULL DEFAULT '',
    body        text NOT NULL,
    keyword     text NOT NULL DEFAULT '',
    action      text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL,
    applied_at  timestamptz
);
COMMENT ON COLUMN smsflow_replies.phone IS 'Who wrote, E.164 without the plus; null when it is no such number (sender holds it as it came).';
CREATE UNIQUE INDEX smsflow_replies_reference_v1 ON smsflow_replies (gateway, gateway_ref) WHERE gateway_ref <> '';
CREATE INDEX smsflow_replies_phone_v1 ON smsflow_replies (phone, no);
CREATE INDEX smsflow_replies_waiting_v1 ON smsflow_replies (no) WHERE applied_at IS NULL;

-- Keys: from when one signs. It verifies at once, so that every process that checks knows it by then.
-- The addresses of replies have a key of their own: people enter them at gateways by hand.
ALTER TABLE smsflow_keys ADD COLUMN signs_from timestamptz NOT NULL DEFAULT now();
INSERT INTO smsflow_keys (purpose, secret)
    VALUES ('inbound', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- Rules as they were read from files or are shipped, for processes that see neither the folder nor the gateway's code.
CREATE TABLE smsflow_rules (
    topic        text NOT NULL,
    name         text NOT NULL,
    document     jsonb NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, name)
);
CREATE INDEX smsflow_quarantine_counting_v1 ON smsflow_quarantine (last_error_at) WHERE quarantined_at IS NULL;

-- Where a poll of a gateway stands.
CREATE TABLE smsflow_cursors (
    gateway  text NOT NULL,
    name     text NOT NULL,
    value    text NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway, name)
);

-- Retention: when the messages of a preparation were archived and dropped, and where the file is.
ALTER TABLE smsflow_preparations
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN archive_uri text NOT NULL DEFAULT '';
"""

DOWNGRADE = """
ALTER TABLE smsflow_preparations DROP COLUMN archived_at, DROP COLUMN archive_uri;
DROP TABLE smsflow_cursors;
DROP INDEX smsflow_quarantine_counting_v1;
DROP TABLE smsflow_rules;
DELETE FROM smsflow_keys WHERE purpose = 'inbound';
ALTER TABLE smsflow_keys DROP COLUMN signs_from;
DROP TABLE smsflow_replies;
DROP TABLE smsflow_receipt_parts;
ALTER TABLE smsflow_stray_receipts DROP COLUMN gateway, DROP COLUMN part, DROP COLUMN parts;
DROP TABLE smsflow_receipts_by_ref;
ALTER TABLE smsflow_receipt_inbox DROP COLUMN gateway, DROP COLUMN part, DROP COLUMN parts;
DROP TABLE smsflow_references;
DROP TABLE smsflow_circuits;
DROP TABLE smsflow_daily;
DROP TABLE smsflow_switch;
DROP TABLE smsflow_pace;
DROP INDEX smsflow_opt_outs_created_v1;
DROP INDEX smsflow_deliveries_open_v1;
ALTER TABLE smsflow_deliveries DROP COLUMN pause_reason, DROP COLUMN wave, DROP COLUMN wave_until,
    DROP COLUMN wave_ended_at, DROP COLUMN judged_from;
ALTER TABLE smsflow_marks DROP COLUMN route;
ALTER TABLE smsflow_chunks DROP COLUMN epoch, DROP COLUMN waiting;
DROP SEQUENCE smsflow_epochs;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(UPGRADE)


def downgrade() -> None:
    op.get_bind().connection.driver_connection.execute(DOWNGRADE)
