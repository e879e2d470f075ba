-- phones_of_messages --
-- Whose messages these are. Walks the primary key of their partition; the number of the preparation is a
-- constant, so that no other one is looked at or locked.
SELECT position, phone, sender FROM smsflow_messages
 WHERE preparation = %(preparation)s::bigint AND position = ANY(%(positions)s::integer[]);

-- is_any_counted --
-- Whether errors are counted of any number. Walks smsflow_quarantine_counting_v1.
SELECT EXISTS (SELECT FROM smsflow_quarantine WHERE quarantined_at IS NULL) AS found;

-- counted_phones_of_messages --
-- Of some messages, those to numbers of which errors are counted, now or in a moment. Walks the primary key
-- of their partition, and that of the quarantine or smsflow_quarantine_counting_v1, whichever is shorter.
SELECT m.position, m.phone FROM smsflow_messages m
  JOIN smsflow_quarantine q ON q.phone = m.phone AND q.quarantined_at IS NULL
 WHERE m.preparation = %(preparation)s::bigint AND m.position = ANY(%(positions)s::integer[])
 UNION
SELECT m.position, m.phone FROM smsflow_messages m
 WHERE m.preparation = %(preparation)s::bigint AND m.position = ANY(%(positions)s::integer[])
   AND cardinality(%(phones)s::bigint[]) > 0 AND m.phone = ANY(%(phones)s::bigint[]);

-- note_events --
-- What was learnt of some numbers, each once: a hard error quarantines; a soft one counts if it is far enough
-- from the last that did, and begins anew after a long time without; a message that arrived sets the count to
-- none, unless an error came behind it. Numbers in quarantine stay as they are. Goes through the numbers in
-- order, so that two writers cannot deadlock. Walks the primary key (phone).
INSERT INTO smsflow_quarantine AS q (phone, reason, source, errors, last_error_at, quarantined_at)
SELECT e.phone, e.reason, %(source)s::text, (e.kind <> 'clear')::integer, e.at,
       CASE WHEN e.kind = 'hard' OR (e.kind = 'soft' AND %(soft_errors)s::integer <= 1) THEN e.at END
  FROM unnest(%(phones)s::bigint[], %(ats)s::timestamptz[], %(kinds)s::text[], %(reasons)s::text[])
       AS e (phone, at, kind, reason)
 ORDER BY e.phone
ON CONFLICT (phone) DO UPDATE SET (errors, last_error_at, quarantined_at, reason, source) = (
       SELECT n.errors,
              CASE WHEN n.errors = q.errors AND excluded.quarantined_at IS NULL AND NOT n.is_new
                   THEN q.last_error_at ELSE excluded.last_error_at END,
              CASE WHEN excluded.quarantined_at IS NOT NULL THEN excluded.quarantined_at
                   WHEN n.errors >= %(soft_errors)s::integer AND excluded.errors > 0 THEN excluded.last_error_at END,
              coalesce(nullif(excluded.reason, ''), q.reason), excluded.source
         FROM (SELECT c.is_new,
                      CASE WHEN excluded.errors = 0 THEN 0
                           WHEN c.is_new THEN 1
                           WHEN excluded.last_error_at - q.last_error_at >= make_interval(secs => %(at_least_apart_s)s::float)
                           THEN q.errors + 1
                           ELSE q.errors END AS errors
                 FROM (SELECT q.errors = 0 OR q.last_error_at IS NULL
                              OR excluded.last_error_at - q.last_error_at > make_interval(secs => %(forget_after_s)s::float)
                              AS is_new) AS c) AS n)
 WHERE q.quarantined_at IS NULL
   AND (excluded.errors > 0 OR q.last_error_at IS NULL OR q.last_error_at <= excluded.last_error_at)
RETURNING q.quarantined_at IS NOT NULL AS is_quarantined;

-- opt_out_by_error --
-- Put numbers on lists, in order, because the gateway says that they opted out there; those that are on them stay
-- as they are, and so do those whose START came in later. Walks the primary key (phone, scope) and
-- smsflow_replies_phone_v1.
INSERT INTO smsflow_opt_outs (phone, scope, reason, source, created_at)
SELECT DISTINCT ON (t.phone, t.scope) t.phone, t.scope, t.reason, %(source)s::text, t.at
  FROM unnest(%(phones)s::bigint[], %(scopes)s::text[], %(reasons)s::text[], %(ats)s::timestamptz[])
       AS t (phone, scope, reason, at)
 WHERE NOT EXISTS (SELECT FROM smsflow_replies r
                    WHERE r.phone = t.phone AND r.action = 'opt_in' AND r.applied_at IS NOT NULL
                      AND r.received_at > t.at)
 ORDER BY t.phone, t.scope, t.at
ON CONFLICT (phone, scope) DO NOTHING;

-- drop_cleared --
-- Forget numbers of which nothing is counted any more; the transaction holds their rows. Walks the primary key.
DELETE FROM smsflow_quarantine
 WHERE phone = ANY(%(phones)s::bigint[]) AND quarantined_at IS NULL AND errors = 0;
