"""Audiences: what is known of saved ones, the file of each run, and people who were erased."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Every new column has a default or may be null: tasks of the former version go on meanwhile.
UPGRADE = """
-- How a version came to be: saved, or updated, appended to, deleted from the version before it.
-- built_at: when its people were computed; saved_at is created_at. deleted_at: nobody may read it any more.
ALTER TABLE smsflow_audiences
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN action      text NOT NULL DEFAULT 'save' CHECK (action IN ('save', 'update', 'append', 'delete', 'erase')),
    ADD COLUMN task_id     text NOT NULL DEFAULT '',
    ADD COLUMN actor       text NOT NULL DEFAULT '',
    ADD COLUMN built_at    timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN deleted_at  timestamptz;
UPDATE smsflow_audiences SET built_at = created_at;
CREATE INDEX smsflow_audiences_uri_v1 ON smsflow_audiences (uri) WHERE deleted_at IS NULL;
-- Deliveries that read, or may read, the file of their audience: few at any time.
CREATE INDEX smsflow_deliveries_audience_v1 ON smsflow_deliveries ((audience ->> 'uri'))
    WHERE state IN ('preparing', 'ready', 'approved', 'sending', 'paused');

-- The files that smsflow wrote, until retention removes them. No people here.
-- fingerprint: empty while the file is being written. made: how the people were found (the rules and their SQL,
-- a file's name): no value of a row.
CREATE TABLE smsflow_audience_files (
    uri           text NOT NULL PRIMARY KEY,
    dag_id        text NOT NULL DEFAULT '',
    run_id        text NOT NULL DEFAULT '',
    task_id       text NOT NULL DEFAULT '',
    map_index     integer NOT NULL DEFAULT -1,
    row_count     bigint NOT NULL DEFAULT 0,
    fingerprint   text NOT NULL DEFAULT '',
    made          jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    purged_at     timestamptz
);
CREATE INDEX smsflow_audience_files_kept_v1 ON smsflow_audience_files (created_at, uri) WHERE purged_at IS NULL;
CREATE INDEX smsflow_audience_files_run_v1 ON smsflow_audience_files (dag_id, run_id);

-- Files of the former version that are known, and by their names are of our making: nobody else's is ever removed.
INSERT INTO smsflow_audience_files (uri, dag_id, run_id, row_count, fingerprint, created_at)
SELECT DISTINCT ON (uri) uri, dag_id, run_id, row_count, fingerprint, created_at
  FROM (SELECT uri, dag_id, run_id, row_count, fingerprint, created_at FROM smsflow_audiences
         UNION ALL
        SELECT audience ->> 'uri', dag_id, run_id, (audience ->> 'count')::bigint, audience ->> 'fingerprint', created_at
          FROM smsflow_deliveries WHERE audience ? 'uri' AND audience ? 'count' AND audience ? 'fingerprint') AS known
 WHERE uri ~ '[.][0-9]+-[0-9a-f]{32}[.]parquet$'
 ORDER BY uri, created_at;

-- People who were erased: a keyed hash of the number and nothing else, so that it is never sent to again. The hash
-- is the first 16 bytes of HMAC-SHA-256 over the number's digits.
-- The key is made once and never changes: without it no hash could be compared.
CREATE TABLE smsflow_erasure_key (
    no            smallint NOT NULL DEFAULT 1 PRIMARY KEY CHECK (no = 1),
    secret        bytea NOT NULL CHECK (length(secret) >= 32)
);
CREATE TABLE smsflow_erased (
    hash          bytea NOT NULL PRIMARY KEY CHECK (length(hash) = 16),
    erased_on     date NOT NULL DEFAULT current_date
);
"""

DOWNGRADE = """
DROP TABLE smsflow_erased;
DROP TABLE smsflow_erasure_key;
DROP TABLE smsflow_audience_files;
DROP INDEX smsflow_deliveries_audience_v1;
DROP INDEX smsflow_audiences_uri_v1;
ALTER TABLE smsflow_audiences DROP COLUMN description, DROP COLUMN action, DROP COLUMN task_id, DROP COLUMN actor,
    DROP COLUMN built_at, DROP COLUMN deleted_at;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(UPGRADE)


def downgrade() -> None:
    op.get_bind().connection.driver_connection.execute(DOWNGRADE)
