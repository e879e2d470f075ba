"""Preparation at full strength: winners of duplicates, kinds and zones, quarantine, proofs, budgets, progress."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Every new column has a default or may be null: a sender of the former version goes on meanwhile.
UPGRADE = """
-- The recipient who got the message in place of a duplicate.
ALTER TABLE smsflow_exclusions ADD COLUMN winner_id text;

-- What later rules ask: the kind of the number, its candidate time zones, the language of the text.
ALTER TABLE smsflow_messages
    ADD COLUMN kind     text NOT NULL DEFAULT '',
    ADD COLUMN zone     smallint,
    ADD COLUMN language text NOT NULL DEFAULT '';
CREATE TABLE smsflow_zones (
    no    smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    names text NOT NULL UNIQUE
);
COMMENT ON TABLE smsflow_zones IS 'Sets of IANA time zones a number may be in, sorted, with commas between them.';

-- How far a preparation is, told while its rows cannot be seen yet.
ALTER TABLE smsflow_preparations
    ADD COLUMN progress      jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN progressed_at timestamptz;

CREATE TABLE smsflow_quarantine (
    phone          bigint PRIMARY KEY CHECK (phone BETWEEN 1000000 AND 999999999999999),
    reason         text NOT NULL DEFAULT '',
    source         text NOT NULL DEFAULT '',
    errors         integer NOT NULL DEFAULT 0,
    last_error_at  timestamptz,
    quarantined_at timestamptz DEFAULT now(),
    created_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE smsflow_quarantine IS 'Numbers that cannot get a text. phone is E.164 without the plus; quarantined_at null: errors are counted only.';

-- A proof belongs to the delivery it shows, and is counted apart.
ALTER TABLE smsflow_deliveries DROP CONSTRAINT smsflow_deliveries_kind_check;
ALTER TABLE smsflow_deliveries ADD CONSTRAINT smsflow_deliveries_kind_check CHECK (kind IN ('campaign', 'direct', 'proof'));
ALTER TABLE smsflow_deliveries
    ADD COLUMN proof_of bigint REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    ADD COLUMN proof_no integer,
    ADD CONSTRAINT smsflow_deliveries_proof_v1 UNIQUE (proof_of, proof_no);

-- What a preparation takes of a budget. Whether it still holds follows from the state of its delivery.
CREATE TABLE smsflow_reservations (
    preparation   bigint PRIMARY KEY REFERENCES smsflow_preparations (no) ON DELETE CASCADE,
    delivery_no   bigint NOT NULL REFERENCES smsflow_deliveries (no) ON DELETE CASCADE,
    budget        text NOT NULL,
    reserved_on   date NOT NULL,
    parts         bigint NOT NULL,
    cost          numeric(20, 6),
    currency      text NOT NULL DEFAULT '',
    kept_parts    bigint,
    kept_cost     numeric(20, 6),
    created_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN smsflow_reservations.kept_parts IS 'Set when the delivery was stopped: what had been handed over by then. The rest was given back.';
CREATE INDEX smsflow_reservations_budget_v1 ON smsflow_reservations (budget, reserved_on);
"""

DOWNGRADE = """
DROP TABLE smsflow_reservations;
DELETE FROM smsflow_deliveries WHERE kind = 'proof';
ALTER TABLE smsflow_deliveries DROP COLUMN proof_of, DROP COLUMN proof_no;
ALTER TABLE smsflow_deliveries DROP CONSTRAINT smsflow_deliveries_kind_check;
ALTER TABLE smsflow_deliveries ADD CONSTRAINT smsflow_deliveries_kind_check CHECK (kind IN ('campaign', 'direct'));
DROP TABLE smsflow_quarantine;
ALTER TABLE smsflow_preparations DROP COLUMN progress, DROP COLUMN progressed_at;
DROP TABLE smsflow_zones;
ALTER TABLE smsflow_messages DROP COLUMN kind, DROP COLUMN zone, DROP COLUMN language;
ALTER TABLE smsflow_exclusions DROP COLUMN winner_id;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(UPGRADE)


def downgrade() -> None:
    op.get_bind().connection.driver_connection.execute(DOWNGRADE)
