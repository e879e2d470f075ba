-- phones_at --
-- The numbers of some messages. Walks the primary key of the preparation's partition.
SELECT position, phone FROM smsflow_messages
 WHERE preparation = %(preparation)s AND position = ANY(%(positions)s) ORDER BY position;
