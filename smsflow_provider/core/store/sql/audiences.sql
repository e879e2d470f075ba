-- lock_name --
-- One saver of a name at a time, until its transaction ends. Walks nothing: an advisory lock.
SELECT pg_advisory_xact_lock(hashtextextended('smsflow_audiences ' || %(name)s::text, 0));

-- add_version --
-- Keep a reference as the next version of a name. Walks the primary key (name, version).
INSERT INTO smsflow_audiences (name, version, uri, row_count, columns, fingerprint, dag_id, run_id)
SELECT %(name)s, coalesce(max(version), 0) + 1, %(uri)s, %(count)s, %(columns)s, %(fingerprint)s, %(dag_id)s, %(run_id)s
  FROM smsflow_audiences WHERE name = %(name)s
RETURNING version;

-- find_audience --
-- One version of a name, or its newest. Walks the primary key (name, version), backwards.
SELECT * FROM smsflow_audiences
 WHERE name = %(name)s AND (%(version)s::integer IS NULL OR version = %(version)s)
 ORDER BY version DESC LIMIT 1;

-- list_audiences --
-- The newest version of every name. Walks the primary key (name, version), backwards.
SELECT DISTINCT ON (name) * FROM smsflow_audiences
 ORDER BY name, version DESC;

-- list_versions --
-- Every version of one name, newest first. Walks the primary key (name, version), backwards.
SELECT * FROM smsflow_audiences WHERE name = %(name)s ORDER BY version DESC;
