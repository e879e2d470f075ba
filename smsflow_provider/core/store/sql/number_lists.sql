-- opt_outs_of --
-- On which lists one number is. Walks the primary key (phone, scope).
SELECT phone, scope, reason, source, created_at FROM smsflow_opt_outs
 WHERE phone = %(phone)s::bigint ORDER BY scope;

-- quarantined_of --
-- Whether one number is in quarantine, or has errors that count. Walks the primary key (phone).
SELECT phone, reason, source, errors, last_error_at, quarantined_at FROM smsflow_quarantine
 WHERE phone = %(phone)s::bigint;

-- recent_opt_outs --
-- The newest entries of all lists, before a moment. Walks smsflow_opt_outs_created_v1 from its end; entries of one
-- moment are in no order.
SELECT phone, scope, reason, source, created_at FROM smsflow_opt_outs
 WHERE created_at < coalesce(%(before)s::timestamptz, 'infinity') ORDER BY created_at DESC LIMIT %(limit)s;

-- recent_quarantined --
-- The numbers that came into quarantine last, before a moment. Walks smsflow_quarantine_recent_v1.
SELECT phone, reason, source, errors, last_error_at, quarantined_at FROM smsflow_quarantine
 WHERE quarantined_at < coalesce(%(before)s::timestamptz, 'infinity')
 ORDER BY quarantined_at DESC LIMIT %(limit)s;

-- few_opt_outs --
-- How many entries there are, up to a limit: a few pages are read, whatever the table holds.
SELECT count(*)::bigint AS entries FROM (SELECT 1 FROM smsflow_opt_outs LIMIT %(limit)s) AS few;

-- few_quarantined --
-- The same of the quarantine.
SELECT count(*)::bigint AS entries
  FROM (SELECT 1 FROM smsflow_quarantine WHERE quarantined_at IS NOT NULL LIMIT %(limit)s) AS few;

-- rows_about --
-- How many rows a table had when PostgreSQL last looked; below 0: it never did.
SELECT reltuples::bigint AS entries FROM pg_class WHERE oid = to_regclass(%(table)s);

-- known_opt_outs --
-- How many of some entries are on their lists. Walks the primary key (phone, scope).
SELECT count(*)::bigint AS entries
  FROM unnest(%(phones)s::bigint[], %(scopes)s::text[]) AS given (phone, scope)
  JOIN smsflow_opt_outs USING (phone, scope);

-- known_quarantined --
-- How many of some numbers are in quarantine. Walks the primary key (phone).
SELECT count(*)::bigint AS entries FROM smsflow_quarantine
 WHERE phone = ANY(%(phones)s::bigint[]) AND quarantined_at IS NOT NULL;
