-- take_inbox --
-- Take the oldest receipts, so that no other applier takes the same. Walks the primary key.
WITH oldest AS MATERIALIZED (
    SELECT no FROM smsflow_receipt_inbox ORDER BY no LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
DELETE FROM smsflow_receipt_inbox i USING oldest WHERE i.no = oldest.no
RETURNING i.no, received_at, conn_type, gateway, gateway AS only_of, delivery_no, preparation, position, kind, code, gateway_ref, part, parts;

-- count_inbox --
-- How many receipts wait.
SELECT count(*)::bigint AS waiting FROM smsflow_receipt_inbox;

-- take_by_ref --
-- Receipts by the gateway's own id whose time has come, with the message of that id, if it is known by now.
-- Walks smsflow_receipts_by_ref_due_v1 and the primary keys of references and preparations.
WITH due AS MATERIALIZED (
    SELECT no, received_at, conn_type, gateway, kind, code, gateway_ref, part, parts FROM smsflow_receipts_by_ref
     WHERE retry_at <= now() ORDER BY retry_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
SELECT due.*, '' AS only_of, p.delivery_no, r.preparation, r.position, due.received_at < now() - interval '7 days' AS too_old
  FROM due
  LEFT JOIN (smsflow_references r JOIN smsflow_preparations p ON p.no = r.preparation)
         ON r.gateway = due.gateway AND r.gateway_ref = due.gateway_ref;

-- put_off --
-- Look again after as long as it has waited: a second at least, an hour at most. Walks the primary key.
UPDATE smsflow_receipts_by_ref
   SET retry_at = now() + least(greatest(now() - received_at, interval '1 second'), interval '1 hour')
 WHERE no = ANY(%(nos)s);

-- drop_by_ref --
-- Receipts by the gateway's own id that are settled. Walks the primary key.
DELETE FROM smsflow_receipts_by_ref WHERE no = ANY(%(nos)s);

-- lock_chunks --
-- The chunks that these receipts touch, locked in one order so that two appliers cannot deadlock.
SELECT preparation, chunk FROM smsflow_chunks
 WHERE (preparation, chunk) IN (
       SELECT t.preparation, (t.position - 1) / %(size)s
         FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[]) AS t (preparation, position))
 ORDER BY preparation, chunk FOR UPDATE;

-- known_messages --
-- What is known of messages of one preparation: the attempt each was last marked for, what became of
-- that attempt (nothing, while it is under way), whether an attempt before one that was not taken may have
-- left (also one that the gateway denied when it was asked, or that goes again by policy), the last receipt, and if
-- asked for the connections it was marked for and the number of parts. Walks primary keys; the number of the
-- preparation is a constant, so that no partition of another one is looked at or locked.
SELECT p.no AS preparation, t.position, p.delivery_no, p.archived_at IS NOT NULL AS archived,
       k.attempt AS marked, o.kind AS outcome, r.kind AS receipt,
       CASE WHEN o.kind IN ('failed', 'not_sent', 'cancelled', 'expired')
            THEN EXISTS (SELECT FROM smsflow_outcomes e
                          WHERE e.preparation = %(preparation)s AND e.position = t.position
                            AND (e.kind IN ('accepted', 'unknown')
                                 OR e.code IN ('not_taken', 'again_by_policy'))) END AS left_earlier,
       CASE WHEN %(with_gateways)s THEN (SELECT array_agg(DISTINCT CASE WHEN g.route = 0 THEN d.gateway
                                              ELSE d.template #>> '{settings,sending,failover,gateway}' END)
                                           FROM smsflow_marks g JOIN smsflow_deliveries d ON d.no = p.delivery_no
                                          WHERE g.preparation = %(preparation)s AND g.position = t.position) END AS gateways,
       CASE WHEN %(with_parts)s THEN (SELECT m.parts FROM smsflow_messages m
                                       WHERE m.preparation = %(preparation)s AND m.position = t.position) END AS parts
  FROM unnest(%(positions)s::integer[]) AS t (position)
  JOIN smsflow_preparations p ON p.no = %(preparation)s AND p.published_at IS NOT NULL
                             AND (p.dropped_at IS NULL OR p.archived_at IS NOT NULL)
  LEFT JOIN LATERAL (SELECT attempt FROM smsflow_marks
                      WHERE preparation = %(preparation)s AND position = t.position
                      ORDER BY attempt DESC LIMIT 1) k ON true
  LEFT JOIN LATERAL (SELECT kind FROM smsflow_outcomes
                      WHERE preparation = %(preparation)s AND position = t.position AND attempt >= k.attempt
                      ORDER BY attempt DESC LIMIT 1) o ON true
  LEFT JOIN smsflow_receipts r ON r.preparation = %(preparation)s AND r.position = t.position;

-- write_parts --
-- What reports say about single parts, each moved forward only. Walks the primary key.
INSERT INTO smsflow_receipt_parts AS s (preparation, position, part, parts, kind, code)
SELECT * FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[], %(part)s::smallint[], %(parts)s::smallint[],
                     %(kinds)s::text[], %(codes)s::text[])
ON CONFLICT (preparation, position, part) DO UPDATE
   SET kind = excluded.kind, code = excluded.code, parts = greatest(s.parts, excluded.parts)
 WHERE array_position(ARRAY['accepted', 'undelivered', 'delivered'], excluded.kind)
       > array_position(ARRAY['accepted', 'undelivered', 'delivered'], s.kind);

-- read_parts --
-- What the parts of these messages say together: delivered when all are, undelivered as soon as one is for
-- good. Walks the primary key.
SELECT s.preparation, s.position,
       CASE WHEN count(*) FILTER (WHERE s.kind = 'delivered') >= max(s.parts) THEN 'delivered'
            WHEN bool_or(s.kind = 'undelivered') THEN 'undelivered'
            ELSE 'accepted' END AS kind,
       coalesce((array_agg(s.code ORDER BY s.part) FILTER (WHERE s.kind = 'undelivered'))[1], min(s.code)) AS code
  FROM unnest(%(preparations)s::bigint[], %(positions)s::integer[]) AS t (preparation, position)
  JOIN smsflow_receipt_parts s ON s.preparation = t.preparation AND s.position = t.position
 GROUP BY s.preparation, s.position;

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
 WHERE c.unknown > 0 AND p.dropped_at IS NULL AND p.archived_at IS NULL ORDER BY c.preparation;

-- lock_doubtful_chunks --
-- The chunks of one preparation with messages in doubt, locked in one order. Walks the primary key.
SELECT chunk FROM smsflow_chunks WHERE preparation = %(preparation)s AND unknown > 0 ORDER BY chunk FOR UPDATE;

-- resolve_proven --
-- A receipt proves that a message left: whatever its last attempt was settled as is over, whichever of the
-- two was written first. An attempt that is under way, or that waits for another one, is its sender's.
-- Looks at the given chunks only; walks the primary keys of receipts, outcomes and marks.
UPDATE smsflow_outcomes o SET kind = 'accepted', code = 'by_receipt', settled_at = now()
  FROM (SELECT r.position, last.attempt, last.kind
          FROM smsflow_chunks c
          JOIN smsflow_receipts r ON r.preparation = %(preparation)s
                                 AND r.position BETWEEN c.first_position AND c.last_position
         CROSS JOIN LATERAL (SELECT attempt, kind FROM smsflow_outcomes
                              WHERE preparation = %(preparation)s AND position = r.position
                              ORDER BY attempt DESC LIMIT 1) last
         WHERE c.preparation = %(preparation)s AND c.chunk = ANY(%(chunks)s)
           AND last.kind IN ('unknown', 'failed', 'cancelled', 'expired')
           AND NOT EXISTS (SELECT FROM smsflow_marks k WHERE k.preparation = %(preparation)s
                              AND k.position = r.position AND k.attempt > last.attempt)) AS proven
 WHERE o.preparation = %(preparation)s AND o.position = proven.position AND o.attempt = proven.attempt
RETURNING o.position, proven.kind AS was;

-- write_strays --
-- Receipts that fit no message of ours, kept with the reason.
INSERT INTO smsflow_stray_receipts
       (no, received_at, conn_type, gateway, delivery_no, preparation, position, kind, code, gateway_ref, part, parts, problem)
VALUES (%(no)s, %(received_at)s, %(conn_type)s, %(gateway)s, %(delivery_no)s, %(preparation)s, %(position)s, %(kind)s,
        %(code)s, %(gateway_ref)s, %(part)s, %(parts)s, %(problem)s)
ON CONFLICT (no) DO NOTHING;
