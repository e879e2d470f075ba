-- read_cursor --
-- Where a poll stands. Walks the primary key.
SELECT value FROM smsflow_cursors WHERE gateway = %(gateway)s AND name = %(name)s;

-- ensure_cursor --
-- A poll that was never made stands at the beginning. Walks the primary key.
INSERT INTO smsflow_cursors (gateway, name, value) VALUES (%(gateway)s, %(name)s, '') ON CONFLICT DO NOTHING;

-- move_cursor --
-- Move it on, unless another poll did. Walks the primary key.
UPDATE smsflow_cursors SET value = %(after)s, moved_at = now()
 WHERE gateway = %(gateway)s AND name = %(name)s AND value = %(before)s;
