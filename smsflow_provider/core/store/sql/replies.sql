-- append_replies --
-- Keep replies as they came, with what the gateway took each for; one that is known by the gateway's own id is
-- kept once. Walks smsflow_replies_reference_v1.
INSERT INTO smsflow_replies (gateway, received_at, gateway_ref, keyword, phone, sender, recipient, body)
SELECT %(gateway)s::text, r.*
  FROM unnest(%(received_ats)s::timestamptz[], %(gateway_refs)s::text[], %(keywords)s::text[], %(phones)s::bigint[],
              %(senders)s::text[], %(recipients)s::text[], %(bodies)s::text[]) AS r
ON CONFLICT (gateway, gateway_ref) WHERE gateway_ref <> '' DO NOTHING;

-- try_to_apply --
-- One transaction at a time applies replies: two could turn a STOP and a START of one phone round. One whose
-- process was stopped in the middle is ended by the server, so that it does not keep out the others for ever.
SELECT pg_try_advisory_xact_lock(hashtextextended('smsflow replies', 0)) AS is_ours,
       set_config('idle_in_transaction_session_timeout', '30s', true) AS idle_limit;

-- waiting_replies --
-- The oldest replies that nobody has looked at. Walks smsflow_replies_waiting_v1.
SELECT no, gateway, phone, sender, recipient, body, keyword, action, received_at, applied_at FROM smsflow_replies
 WHERE applied_at IS NULL ORDER BY no LIMIT %(limit)s;

-- outdated_replies --
-- Of some replies, those that came before one of the same phone that has had its effect.
-- Walks the primary key and smsflow_replies_phone_v1.
SELECT r.no FROM smsflow_replies r
 WHERE r.no = ANY(%(numbers)s::bigint[])
   AND EXISTS (SELECT FROM smsflow_replies later
                WHERE later.phone = r.phone AND later.applied_at IS NOT NULL
                  AND later.action IN ('opt_out', 'opt_in')
                  AND (later.received_at, later.no) > (r.received_at, r.no));

-- settle_replies --
-- Record what was understood. Walks the primary key.
UPDATE smsflow_replies r SET keyword = t.keyword, action = t.action, applied_at = %(at)s::timestamptz
  FROM unnest(%(numbers)s::bigint[], %(keywords)s::text[], %(actions)s::text[]) AS t (no, keyword, action)
 WHERE r.no = t.no;

-- opt_out_by_reply --
-- Put numbers on lists, in order; those that are on them stay as they are. Walks the primary key (phone, scope).
INSERT INTO smsflow_opt_outs (phone, scope, reason, source, created_at)
SELECT t.phone, t.scope, t.reason, %(source)s::text, %(at)s::timestamptz
  FROM unnest(%(phones)s::bigint[], %(scopes)s::text[], %(reasons)s::text[]) AS t (phone, scope, reason)
 ORDER BY t.phone, t.scope
ON CONFLICT (phone, scope) DO NOTHING;

-- opt_in_by_reply --
-- Take back what replies brought, here or at the gateway, in order: off one list, or off all (null). Walks the primary key (phone, scope).
DELETE FROM smsflow_opt_outs
 WHERE (phone, scope) IN (
       SELECT o.phone, o.scope FROM smsflow_opt_outs o
         JOIN unnest(%(phones)s::bigint[], %(scopes)s::text[]) AS t (phone, scope)
           ON o.phone = t.phone AND (t.scope IS NULL OR o.scope = t.scope)
        WHERE o.source = ANY(%(sources)s::text[]) ORDER BY o.phone, o.scope FOR UPDATE OF o);

-- prune_replies --
-- Forget the oldest replies that were applied and came so long ago. Walks the primary key from its beginning, a
-- page at a time: the numbers follow the time about.
WITH oldest AS MATERIALIZED (
    SELECT no, received_at, applied_at FROM smsflow_replies ORDER BY no LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
DELETE FROM smsflow_replies r USING oldest o
 WHERE r.no = o.no AND o.applied_at IS NOT NULL AND o.received_at < now() - %(days)s * interval '1 day';

-- count_waiting_replies --
-- How many replies wait. Walks smsflow_replies_waiting_v1.
SELECT count(*)::bigint AS waiting FROM smsflow_replies WHERE applied_at IS NULL;

-- list_replies --
-- A page of replies, the latest first, before a given one. Walks the primary key backwards.
SELECT no, gateway, phone, sender, recipient, body, keyword, action, received_at, applied_at FROM smsflow_replies
 WHERE (%(before)s::bigint IS NULL OR no < %(before)s::bigint)
   AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s::timestamptz)
   AND (%(action)s::text IS NULL OR (action = %(action)s::text AND applied_at IS NOT NULL))
 ORDER BY no DESC LIMIT %(limit)s;

-- list_replies_of_phone --
-- The same of one number. Walks smsflow_replies_phone_v1 backwards.
SELECT no, gateway, phone, sender, recipient, body, keyword, action, received_at, applied_at FROM smsflow_replies
 WHERE phone = %(phone)s::bigint AND (%(before)s::bigint IS NULL OR no < %(before)s::bigint)
   AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s::timestamptz)
   AND (%(action)s::text IS NULL OR (action = %(action)s::text AND applied_at IS NOT NULL))
 ORDER BY no DESC LIMIT %(limit)s;
