-- lock_name --
-- One saver of a name at a time, until its transaction ends. Walks nothing: an advisory lock.
SELECT pg_advisory_xact_lock(hashtextextended('smsflow_audiences ' || %(name)s::text, 0));

-- hold_file --
-- Keep retention from removing a file until this transaction ends. Walks the primary key (uri).
SELECT purged_at, made ? 'replaced_by' AS is_replaced FROM smsflow_audience_files WHERE uri = %(uri)s FOR SHARE;

-- add_version --
-- Keep a reference as the next version of a name, if base is still the newest one, or nobody said a base.
-- A description stays until another one is given; numbers of deleted versions are not used again.
-- Walks the primary key (name, version), backwards.
WITH newest AS (
    SELECT version, description FROM smsflow_audiences
     WHERE name = %(name)s AND deleted_at IS NULL ORDER BY version DESC LIMIT 1)
INSERT INTO smsflow_audiences (name, version, uri, row_count, columns, fingerprint, dag_id, run_id, task_id, actor,
                               action, description, built_at)
SELECT %(name)s,
       coalesce((SELECT max(version) FROM smsflow_audiences WHERE name = %(name)s), 0) + 1,
       %(uri)s, %(count)s, %(columns)s, %(fingerprint)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(actor)s,
       coalesce(%(action)s::text, CASE WHEN EXISTS (SELECT FROM newest) THEN 'update' ELSE 'save' END),
       coalesce(%(description)s::text, (SELECT description FROM newest), ''),
       coalesce(%(built_at)s::timestamptz, (SELECT created_at FROM smsflow_audience_files WHERE uri = %(uri)s), now())
 WHERE %(base)s::integer IS NULL OR %(base)s = coalesce((SELECT version FROM newest), 0)
RETURNING version;

-- find_audience --
-- One version of a name, or its newest; deleted ones are not found. Walks the primary key, backwards.
SELECT * FROM smsflow_audiences
 WHERE name = %(name)s AND (%(version)s::integer IS NULL OR version = %(version)s) AND deleted_at IS NULL
 ORDER BY version DESC LIMIT 1;

-- deleted_at --
-- When a version was deleted. Walks the primary key (name, version).
SELECT deleted_at FROM smsflow_audiences
 WHERE name = %(name)s AND version = %(version)s AND deleted_at IS NOT NULL;

-- list_audiences --
-- The newest version of every name. Walks the primary key (name, version), backwards.
SELECT DISTINCT ON (name) * FROM smsflow_audiences
 WHERE deleted_at IS NULL
 ORDER BY name, version DESC;

-- list_versions --
-- Every version of one name, newest first. Walks the primary key (name, version), backwards.
SELECT * FROM smsflow_audiences WHERE name = %(name)s AND deleted_at IS NULL ORDER BY version DESC;

-- describe --
-- Say anew what a name is: on its newest version, from where later ones take it.
-- Walks the primary key (name, version), backwards.
UPDATE smsflow_audiences SET description = %(description)s
 WHERE name = %(name)s
   AND version = (SELECT version FROM smsflow_audiences
                   WHERE name = %(name)s AND deleted_at IS NULL ORDER BY version DESC LIMIT 1)
RETURNING version;

-- deliveries_of --
-- Deliveries under way that were made from a version, or from any of the name.
-- Walks the primary key (name, version), then smsflow_deliveries_audience_v1.
SELECT d.id, d.state, d.dag_id, a.version
  FROM smsflow_audiences AS a
  JOIN smsflow_deliveries AS d ON d.audience ->> 'uri' = a.uri
   AND d.state IN ('preparing', 'ready', 'approved', 'sending', 'paused')
 WHERE a.name = %(name)s AND (%(version)s::integer IS NULL OR a.version = %(version)s) AND a.deleted_at IS NULL
 ORDER BY d.no, a.version LIMIT 20;

-- delete_versions --
-- Let nobody read a version any more, or any of the name. Walks the primary key (name, version).
UPDATE smsflow_audiences SET deleted_at = now()
 WHERE name = %(name)s AND (%(version)s::integer IS NULL OR version = %(version)s) AND deleted_at IS NULL
RETURNING version;
