-- list_progress --
-- How far some preparations say they are. Walks the primary key.
SELECT no, progress, begun_at, progressed_at FROM smsflow_preparations WHERE no = ANY(%(preparations)s);
