-- read_doubts --
-- Messages whose last attempt is in doubt, with what a question about them needs, and how long ago the
-- sender gave up. Looks at chunks with doubts only, in order, and no further than the page goes; walks the
-- primary keys of chunks, outcomes, marks and messages. OFFSET 0 and MATERIALIZED keep the planner, which may
-- know nothing of a partition just filled, from joining all messages with all doubts for each page.
WITH doubt AS MATERIALIZED (
     SELECT o.position, o.attempt, o.code, o.settled_at, k.marked_at, k.route
       FROM (SELECT chunk, first_position, last_position FROM smsflow_chunks
              WHERE preparation = %(preparation)s AND unknown > 0 AND last_position > %(after)s
              ORDER BY chunk OFFSET 0) c
      CROSS JOIN LATERAL (SELECT position, attempt, code, settled_at FROM smsflow_outcomes
                           WHERE preparation = %(preparation)s AND kind = 'unknown' AND position > %(after)s
                             AND position BETWEEN c.first_position AND c.last_position
                           ORDER BY position OFFSET 0) o
      CROSS JOIN LATERAL (SELECT attempt, marked_at, route FROM smsflow_marks
                           WHERE preparation = %(preparation)s AND position = o.position
                           ORDER BY attempt DESC LIMIT 1) k
      WHERE k.attempt = o.attempt AND coalesce(%(route)s::smallint, k.route) = k.route
      ORDER BY c.chunk, o.position LIMIT %(limit)s)
SELECT d.position, d.attempt::int AS attempt, d.code, d.settled_at, d.marked_at, d.route::int AS route,
       clock_timestamp() AS read_at, m.recipient_id, m.phone, m.sender, m.body, m.encoding, m.parts::int AS parts
  FROM doubt d
 CROSS JOIN LATERAL (SELECT recipient_id, phone, sender, body, encoding, parts FROM smsflow_messages
                      WHERE preparation = %(preparation)s AND position = d.position OFFSET 0) m
 ORDER BY d.position;

-- read_witness --
-- Any message that the gateway certainly took, long enough ago to be found: what it says about this one
-- tells whether its answers can be believed. Walks the primary keys of outcomes, marks and messages; the
-- first that fits will do.
SELECT o.position, o.attempt::int AS attempt, o.code, o.settled_at, k.marked_at, k.route::int AS route,
       clock_timestamp() AS read_at, m.recipient_id, m.phone, m.sender, m.body, m.encoding, m.parts::int AS parts
  FROM smsflow_outcomes o
  JOIN smsflow_marks k ON k.preparation = %(preparation)s AND k.position = o.position AND k.attempt = o.attempt
  JOIN smsflow_messages m ON m.preparation = %(preparation)s AND m.position = o.position
 WHERE o.preparation = %(preparation)s AND o.kind = 'accepted' AND o.code <> 'by_lookup' AND k.route = %(route)s
   AND o.settled_at <= clock_timestamp() - %(after_s)s * interval '1 second'
   AND k.marked_at > clock_timestamp() - %(until_s)s * interval '1 second'
 LIMIT 1;

-- doubtful_deliveries --
-- Deliveries with messages in doubt, the latest first. Reads smsflow_chunks: one row per thousand messages.
SELECT d.id, sum(c.unknown)::bigint AS messages
  FROM smsflow_chunks c
  JOIN smsflow_preparations p ON p.no = c.preparation AND p.dropped_at IS NULL
  JOIN smsflow_deliveries d ON d.preparation = c.preparation
 WHERE c.unknown > 0 GROUP BY d.no, d.id ORDER BY d.no DESC;

-- lock_refs --
-- One look-up at a time says whose these ids of a gateway are; locked in one order.
SELECT pg_advisory_xact_lock(hashtextextended('smsflow ref ' || each.ref, 0))
  FROM (SELECT DISTINCT ref FROM unnest(%(refs)s::text[]) AS t (ref) ORDER BY ref) AS each;

-- preparations_beside --
-- Preparations of the deliveries that were sent while this one was, itself among them; some more than can be asked
-- say that there are too many. Reads smsflow_deliveries: a row per delivery, no messages.
SELECT d.preparation
  FROM smsflow_deliveries own
  JOIN smsflow_deliveries d ON d.sending_at <= coalesce(own.ended_at, now()) + interval '15 minutes'
                           AND coalesce(d.ended_at, 'infinity') >= coalesce(own.sending_at, own.created_at) - interval '15 minutes'
  JOIN smsflow_preparations p ON p.no = d.preparation AND p.dropped_at IS NULL
 WHERE own.no = %(delivery_no)s LIMIT %(limit)s;

-- recorded_refs --
-- Of some ids of a gateway, whose they are already. Reads the outcomes and receipts of the given preparations, once
-- a question that found something: nothing else finds a message by them.
SELECT gateway_ref, preparation, position FROM smsflow_outcomes
 WHERE preparation = ANY(%(preparations)s::bigint[]) AND gateway_ref = ANY(%(refs)s::text[])
 UNION
SELECT gateway_ref, preparation, position FROM smsflow_receipts
 WHERE preparation = ANY(%(preparations)s::bigint[]) AND gateway_ref = ANY(%(refs)s::text[]);

-- hold_delivery --
-- Where the delivery stands, and keep it there until the transaction ends.
SELECT state, preparation FROM smsflow_deliveries WHERE no = %(delivery_no)s FOR SHARE;

-- lock_chunks --
-- The chunks of these messages, locked in the order in which receipts lock them.
SELECT chunk FROM smsflow_chunks
 WHERE preparation = %(preparation)s AND chunk = ANY(%(chunks)s) ORDER BY chunk FOR UPDATE;

-- end_taken --
-- The gateway says that it took these. Only what is still in doubt and was not handed over again; the chunks
-- are locked. Walks the primary keys.
UPDATE smsflow_outcomes o
   SET kind = 'accepted', code = 'by_lookup', settled_at = now(),
       gateway_ref = CASE WHEN t.gateway_ref = '' THEN o.gateway_ref ELSE t.gateway_ref END
  FROM unnest(%(positions)s::integer[], %(attempts)s::smallint[], %(gateway_refs)s::text[])
       AS t (position, attempt, gateway_ref)
 WHERE o.preparation = %(preparation)s AND o.position = t.position AND o.attempt = t.attempt AND o.kind = 'unknown'
   AND NOT EXISTS (SELECT FROM smsflow_marks k WHERE k.preparation = %(preparation)s
                      AND k.position = t.position AND k.attempt > t.attempt)
RETURNING o.position;

-- end_not_taken --
-- The gateway says that it never took these. A receipt, applied or not, says the opposite and is believed.
-- One that would go again does so twice at the most: a gateway whose answers get lost and whose look-ups are
-- wrong must not text somebody for ever. The chunks are locked. Walks the primary keys, and reads the inbox once.
UPDATE smsflow_outcomes o SET kind = %(kind)s, code = %(code)s, settled_at = now()
  FROM unnest(%(positions)s::integer[], %(attempts)s::smallint[]) AS t (position, attempt)
 WHERE o.preparation = %(preparation)s AND o.position = t.position AND o.attempt = t.attempt AND o.kind = 'unknown'
   AND NOT EXISTS (SELECT FROM smsflow_marks k WHERE k.preparation = %(preparation)s
                      AND k.position = t.position AND k.attempt > t.attempt)
   AND NOT EXISTS (SELECT FROM smsflow_receipts r WHERE r.preparation = %(preparation)s AND r.position = t.position)
   AND (%(kind)s = 'failed'
        OR (SELECT count(*) FROM smsflow_outcomes b
             WHERE b.preparation = %(preparation)s AND b.position = t.position
               AND b.code IN ('not_taken', 'again_by_policy')) < 2)
   AND NOT EXISTS (SELECT FROM smsflow_receipt_inbox i WHERE i.preparation = %(preparation)s AND i.position = t.position)
RETURNING o.position;
