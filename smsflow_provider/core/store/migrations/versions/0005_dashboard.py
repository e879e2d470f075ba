"""The dashboard: who started what, answers given once, who did what, samples of counters, summaries."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Every new column has a default or may be null: tasks of the former version go on meanwhile.
UPGRADE = """
-- Everybody who started or prepared a delivery, as ids and names of Airflow: who may not approve it, where four eyes
-- are asked for.
ALTER TABLE smsflow_deliveries ADD COLUMN authors jsonb NOT NULL DEFAULT '[]';
CREATE INDEX smsflow_deliveries_dag_v1 ON smsflow_deliveries (dag_id, created_at DESC, no DESC);
CREATE INDEX smsflow_deliveries_attention_v1 ON smsflow_deliveries (created_at DESC, no DESC)
    WHERE state IN ('preparation_failed', 'ready', 'approved', 'paused', 'sending', 'preparing');
CREATE INDEX smsflow_deliveries_ended_v1 ON smsflow_deliveries (ended_at DESC) WHERE ended_at IS NOT NULL;
ALTER TABLE smsflow_approvals ADD COLUMN decided_by_name text NOT NULL DEFAULT '';

-- Answers of writes over REST by the caller's key, so that the same request again does nothing again.
-- No body is kept, only its hash; answered_at null: under way, or its process died.
CREATE TABLE smsflow_requests (
    actor        text NOT NULL,
    key          text NOT NULL,
    route        text NOT NULL,
    body_hash    bytea NOT NULL,
    status       smallint,
    answer       jsonb,
    begun_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at  timestamptz,
    PRIMARY KEY (actor, key)
);
CREATE INDEX smsflow_requests_begun_v1 ON smsflow_requests (begun_at);

-- Who did what and when, beyond the moves of a delivery: numbers shown, lists changed, the switch, test messages.
-- No number and no text in it.
CREATE TABLE smsflow_audit (
    no           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor        text NOT NULL,
    action       text NOT NULL,
    delivery_no  bigint REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    facts        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX smsflow_audit_delivery_v1 ON smsflow_audit (delivery_no, no) WHERE delivery_no IS NOT NULL;
CREATE INDEX smsflow_audit_action_v1 ON smsflow_audit (action, no);

CREATE INDEX smsflow_quarantine_recent_v1 ON smsflow_quarantine (quarantined_at DESC) WHERE quarantined_at IS NOT NULL;

-- Where the counters of a preparation stood at a moment: throughput is the difference of two.
CREATE TABLE smsflow_samples (
    preparation  bigint NOT NULL REFERENCES smsflow_preparations (no) ON DELETE CASCADE,
    at           timestamptz NOT NULL,
    accepted     bigint NOT NULL,
    failed       bigint NOT NULL,
    unknown      bigint NOT NULL,
    cancelled    bigint NOT NULL,
    expired      bigint NOT NULL,
    delivered    bigint NOT NULL,
    undelivered  bigint NOT NULL,
    PRIMARY KEY (preparation, at)
);

-- What takes too long to count while somebody waits: by country, by cause, opt-outs. Counted again when asked for.
CREATE TABLE smsflow_summaries (
    preparation  bigint PRIMARY KEY REFERENCES smsflow_preparations (no) ON DELETE CASCADE,
    counted_at   timestamptz NOT NULL,
    document     jsonb NOT NULL
);
"""

DOWNGRADE = """
DROP TABLE smsflow_summaries;
DROP INDEX smsflow_quarantine_recent_v1;
DROP TABLE smsflow_samples;
DROP TABLE smsflow_audit;
DROP TABLE smsflow_requests;
ALTER TABLE smsflow_approvals DROP COLUMN decided_by_name;
DROP INDEX smsflow_deliveries_ended_v1;
DROP INDEX smsflow_deliveries_attention_v1;
DROP INDEX smsflow_deliveries_dag_v1;
ALTER TABLE smsflow_deliveries DROP COLUMN authors;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(UPGRADE)


def downgrade() -> None:
    op.get_bind().connection.driver_connection.execute(DOWNGRADE)
