-- announce --
-- A file is about to be written: whatever becomes of the writer, retention will find it.
-- Walks the primary key (uri).
INSERT INTO smsflow_audience_files (uri, dag_id, run_id, task_id, map_index)
VALUES (%(uri)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(map_index)s)
ON CONFLICT (uri) DO NOTHING;

-- register --
-- A file is there, whole. Walks the primary key (uri).
INSERT INTO smsflow_audience_files (uri, dag_id, run_id, task_id, map_index, row_count, fingerprint, made)
VALUES (%(uri)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(map_index)s, %(count)s, %(fingerprint)s, %(made)s)
ON CONFLICT (uri) DO UPDATE
   SET row_count = excluded.row_count, fingerprint = excluded.fingerprint, made = excluded.made;

-- find_of_run --
-- The newest whole file of a task of a run. Walks smsflow_audience_files_run_v1.
SELECT * FROM smsflow_audience_files
 WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
   AND fingerprint <> '' AND purged_at IS NULL
 ORDER BY created_at DESC, uri LIMIT 1;

-- find_file --
-- What is known of one file. Walks the primary key (uri).
SELECT * FROM smsflow_audience_files WHERE uri = %(uri)s;

-- has_table --
-- Whether this store can know of any file: one of the former version cannot. Reads the catalogue.
SELECT to_regclass('smsflow_audience_files') IS NOT NULL AS is_there;

-- live_files --
-- A page of the files that are still there, oldest first. Walks smsflow_audience_files_kept_v1.
SELECT * FROM smsflow_audience_files
 WHERE purged_at IS NULL
   AND (%(after_at)s::timestamptz IS NULL OR (created_at, uri) > (%(after_at)s::timestamptz, %(after_uri)s::text))
 ORDER BY created_at, uri LIMIT %(limit)s;

-- hold_due --
-- Lock the oldest file whose time is over and that no saved version and no delivery under way refers to.
-- Walks smsflow_audience_files_kept_v1, then smsflow_audiences_uri_v1 and smsflow_deliveries_audience_v1.
SELECT uri, created_at FROM smsflow_audience_files AS f
 WHERE purged_at IS NULL AND created_at < %(before)s
   AND (%(after_at)s::timestamptz IS NULL OR (created_at, uri) > (%(after_at)s::timestamptz, %(after_uri)s::text))
   AND NOT EXISTS (SELECT FROM smsflow_audiences AS a WHERE a.uri = f.uri AND a.deleted_at IS NULL)
   AND NOT EXISTS (SELECT FROM smsflow_deliveries AS d WHERE d.audience ->> 'uri' = f.uri
                      AND d.state IN ('preparing', 'ready', 'approved', 'sending', 'paused'))
 ORDER BY created_at, uri LIMIT 1 FOR UPDATE OF f SKIP LOCKED;

-- is_free --
-- Whether that is still so, now that the file is locked: who saves it waits for the lock.
-- Walks smsflow_audiences_uri_v1 and smsflow_deliveries_audience_v1.
SELECT NOT EXISTS (SELECT FROM smsflow_audiences AS a WHERE a.uri = %(uri)s AND a.deleted_at IS NULL)
   AND NOT EXISTS (SELECT FROM smsflow_deliveries AS d WHERE d.audience ->> 'uri' = %(uri)s
                      AND d.state IN ('preparing', 'ready', 'approved', 'sending', 'paused')) AS is_free;

-- purge --
-- The file is gone. What is known of how it was made stays. Walks the primary key (uri).
UPDATE smsflow_audience_files SET purged_at = now() WHERE uri = %(uri)s AND purged_at IS NULL;
