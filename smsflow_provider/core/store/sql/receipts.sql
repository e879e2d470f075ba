-- take_inbox --
-- Take the oldest receipts, so that no other applier takes the same. Walks the primary key.
DELETE FROM smsflow_receipt_inbox
 WHERE no IN (SELECT no FROM smsflow_receipt_inbox ORDER BY no LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING no, received_at, conn_type, delivery_no, preparation, position, kind, code, gateway_ref;

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
-- What is known of the messages these receipts speak of: whether each was ever marked, its last outcome
-- and its last receipt. Walks primary keys.
SELECT t.preparation, t.position, p.delivery_no, k.attempt AS marked, o.kind AS outcome, r.kind AS receipt
  FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[]) AS t (preparation, position)
  JOIN smsflow_preparations p ON p.no = t.preparation AND p.dropped_at IS NULL AND p.published_at IS NOT NULL
  LEFT JOIN LATERAL (SELECT attempt FROM smsflow_marks
                      WHERE preparation = t.preparation AND position = t.position
                      ORDER BY attempt DESC LIMIT 1) k ON true
  LEFT JOIN LATERAL (SELECT kind FROM smsflow_outcomes
                      WHERE preparation = t.preparation AND position = t.position
                      ORDER BY attempt DESC LIMIT 1) o ON true
  LEFT JOIN smsflow_receipts r ON r.preparation = t.preparation AND r.position = t.position;

-- write_receipts --
-- Record what the receipts say; the caller has made sure that each is a step forward.
INSERT INTO smsflow_receipts (preparation, position, kind, code, gateway_ref, received_at)
SELECT * FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[], %(kinds)s::text[], %(codes)s::text[],
                     %(gateway_refs)s::text[], %(received_ats)s::timestamptz[])
ON CONFLICT (preparation, position) DO UPDATE
   SET kind = excluded.kind, code = excluded.code, received_at = excluded.received_at,
       gateway_ref = coalesce(nullif(excluded.gateway_ref, ''), smsflow_receipts.gateway_ref);

-- resolve_unknown --
-- A receipt proves that a message left: the doubt is over.
UPDATE smsflow_outcomes o SET kind = 'accepted', code = 'by_receipt', settled_at = now()
  FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[]) AS t (preparation, position)
 WHERE o.preparation = t.preparation AND o.position = t.position AND o.kind = 'unknown';

-- write_strays --
-- Receipts that fit no message of ours, kept with the reason.
INSERT INTO smsflow_stray_receipts
       (no, received_at, conn_type, delivery_no, preparation, position, kind, code, gateway_ref, problem)
VALUES (%(no)s, %(received_at)s, %(conn_type)s, %(delivery_no)s, %(preparation)s, %(position)s, %(kind)s,
        %(code)s, %(gateway_ref)s, %(problem)s)
ON CONFLICT (no) DO NOTHING;
