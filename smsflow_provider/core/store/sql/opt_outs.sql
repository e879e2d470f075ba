-- remove_opt_outs --
-- Take people off one list, or off every list. Walks the primary key (phone, scope).
DELETE FROM smsflow_opt_outs
 WHERE phone = ANY(%(phones)s::bigint[]) AND (%(scope)s::text IS NULL OR scope = %(scope)s);

-- next_opt_outs --
-- A page of the list in the order of its key, after a given entry. Walks the primary key (phone, scope).
SELECT phone, scope, reason, source, created_at FROM smsflow_opt_outs
 WHERE (phone, scope) > (%(phone)s::bigint, %(after_scope)s::text)
   AND (%(scope)s::text IS NULL OR scope = %(scope)s)
 ORDER BY phone, scope LIMIT %(limit)s;

-- count_opt_outs --
-- How many people are on one list, or entries on all. Reads the whole table: for people, not for the hot path.
SELECT count(*)::bigint AS entries FROM smsflow_opt_outs WHERE %(scope)s::text IS NULL OR scope = %(scope)s;
