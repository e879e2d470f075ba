-- take_inbox --
-- Take the oldest receipts, so that no other applier takes the same. Walks the primary key.
WITH oldest AS MATERIALIZED (
    SELECT no FROM smsflow_receipt_inbox ORDER BY no LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
DELETE FROM smsflow_receipt_inbox i USING oldest WHERE i.no = oldest.no
RETURNING i.no, received_at, conn_type, delivery_no, preparation, position, kind, code, gateway_ref;

-- count_inbox --
-- How many receipts wait.
SELECT count(*)::bigint AS waiting FROM smsflow_receipt_inbox;

-- lock_chunks --
-- The chunks that these receipts touch, locked in one order so that two appliers cannot deadlock.
SELECT preparation, chunk FROM smsflow_chunks
 WHERE (preparation, chunk) IN (
       SELECT t.preparation, (t.position - 1) / %(size)s
         FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[]) AS t (preparation, position))
 ORDER BY preparation, chunk FOR UPDATE;

-- known_messages --
-- What is known of messages of one preparation: the attempt each was last marked for, what became of
-- that attempt (nothing, while it is under way) and its last receipt. Walks primary keys; the number of
-- the preparation is a constant, so that no partition of another one is looked at or locked.
SELECT p.no AS preparation, t.position, p.delivery_no, k.attempt AS marked, o.kind AS outcome, r.kind AS receipt
  FROM unnest(%(positions)s::integer[]) AS t (position)
  JOIN smsflow_preparations p ON p.no = %(preparation)s AND p.dropped_at IS NULL AND p.published_at IS NOT NULL
  LEFT JOIN LATERAL (SELECT attempt FROM smsflow_marks
                      WHERE preparation = %(preparation)s AND position = t.position
                      ORDER BY attempt DESC LIMIT 1) k ON true
  LEFT JOIN LATERAL (SELECT kind FROM smsflow_outcomes
                      WHERE preparation = %(preparation)s AND position = t.position AND attempt >= k.attempt
                      ORDER BY attempt DESC LIMIT 1) o ON true
  LEFT JOIN smsflow_receipts r ON r.preparation = %(preparation)s AND r.position = t.position;

-- write_receipts --
-- Record what the receipts say; the caller has made sure that each is a step forward.
INSERT INTO smsflow_receipts (preparation, position, kind, code, gateway_ref, received_at)
SELECT * FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[], %(kinds)s::text[], %(codes)s::text[],
                     %(gateway_refs)s::text[], %(received_ats)s::timestamptz[])
ON CONFLICT (preparation, position) DO UPDATE
   SET kind = excluded.kind, code = excluded.code, received_at = excluded.received_at,
       gateway_ref = coalesce(nullif(excluded.gateway_ref, ''), smsflow_receipts.gateway_ref);

-- doubtful_preparations --
-- Preparations with messages in doubt. Reads smsflow_chunks: one row per thousand messages.
SELECT DISTINCT c.preparation FROM smsflow_chunks c JOIN smsflow_preparations p ON p.no = c.preparation
 WHERE c.unknown > 0 AND p.dropped_at IS NULL ORDER BY c.preparation;

-- lock_doubtful_chunks --
-- The chunks of one preparation with messages in doubt, locked in one order. Walks the primary key.
SELECT chunk FROM smsflow_chunks WHERE preparation = %(preparation)s AND unknown > 0 ORDER BY chunk FOR UPDATE;

-- resolve_proven --
-- A receipt proves that a message left: the doubt is over, whichever of the two was written first.
-- Looks at chunks with messages in doubt only; walks the primary keys of outcomes and receipts.
UPDATE smsflow_outcomes o SET kind = 'accepted', code = 'by_receipt', settled_at = now()
  FROM smsflow_chunks c
  JOIN smsflow_receipts r ON r.preparation = c.preparation AND r.position BETWEEN c.first_position AND c.last_position
 WHERE c.preparation = %(preparation)s AND c.chunk = ANY(%(chunks)s) AND r.preparation = %(preparation)s
   AND o.preparation = %(preparation)s AND o.position = r.position AND o.kind = 'unknown'
RETURNING o.position;

-- write_strays --
-- Receipts that fit no message of ours, kept with the reason.
INSERT INTO smsflow_stray_receipts
       (no, received_at, conn_type, delivery_no, preparation, position, kind, code, gateway_ref, problem)
VALUES (%(no)s, %(received_at)s, %(conn_type)s, %(delivery_no)s, %(preparation)s, %(position)s, %(kind)s,
        %(code)s, %(gateway_ref)s, %(problem)s)
ON CONFLICT (no) DO NOTHING;
