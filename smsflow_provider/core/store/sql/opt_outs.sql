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

-- packed_opt_outs --
-- The numbers of some lists, eight bytes each, list by list: a page behind a given number, with all
-- entries of its last one. In no order within the page: sorting is quicker where they go.
-- Walks the primary key (phone, scope).
SELECT scope, string_agg(int8send(phone), '') AS phones, max(phone) AS last
  FROM (SELECT phone, scope FROM smsflow_opt_outs
         WHERE phone > %(after)s::bigint AND scope = ANY(%(scopes)s::text[])
         ORDER BY phone FETCH FIRST (%(limit)s) ROWS WITH TIES) AS page
 GROUP BY scope;
