-- ensure_lease --
-- The lease row of one lane of one delivery.
INSERT INTO smsflow_leases (delivery_no, lane) VALUES (%(delivery_no)s, %(lane)s) ON CONFLICT DO NOTHING;

-- claim_lease --
-- Take the lease if nobody holds it, or its holder has been silent too long. The new epoch makes every
-- later write of the former holder fail. The server's clock decides: workers' clocks may differ.
UPDATE smsflow_leases
   SET owner = %(owner)s, epoch = epoch + 1, heartbeat_at = clock_timestamp()
 WHERE delivery_no = %(delivery_no)s AND lane = %(lane)s
   AND (owner = '' OR heartbeat_at IS NULL
        OR heartbeat_at < clock_timestamp() - %(lease_s)s * interval '1 second')
RETURNING epoch;

-- hold_lease --
-- Say "still here" and lock the lease until the transaction ends. No row back: somebody else owns it.
UPDATE smsflow_leases SET heartbeat_at = clock_timestamp()
 WHERE delivery_no = %(delivery_no)s AND lane = %(lane)s AND epoch = %(epoch)s AND owner <> ''
RETURNING epoch;

-- release_lease --
-- Give the lease back, so that the next sender need not wait.
UPDATE smsflow_leases SET owner = '', heartbeat_at = NULL
 WHERE delivery_no = %(delivery_no)s AND lane = %(lane)s AND epoch = %(epoch)s;

-- begin_sending --
-- The first claim: the clock of the validity starts here.
UPDATE smsflow_deliveries
   SET state = 'sending', sending_at = now(), moved_at = now(), moved_by = %(actor)s,
       expires_at = now() + validity_s * interval '1 second'
 WHERE no = %(delivery_no)s AND state = 'approved' AND preparation = %(preparation)s
RETURNING no;

-- orphaned_marks --
-- Messages marked by a former owner and never settled. With a receipt they left for certain, without
-- one nobody knows: they are never sent again by themselves. Reads the preparation's marks and outcomes once.
INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code)
SELECT k.preparation, k.position, k.attempt,
       CASE WHEN r.position IS NULL THEN 'unknown' ELSE 'accepted' END,
       CASE WHEN r.position IS NULL THEN 'sender_lost' ELSE 'by_receipt' END
  FROM smsflow_marks k
  LEFT JOIN smsflow_outcomes o
         ON o.preparation = k.preparation AND o.position = k.position AND o.attempt = k.attempt
  LEFT JOIN smsflow_receipts r ON r.preparation = k.preparation AND r.position = k.position
 WHERE k.preparation = %(preparation)s AND o.position IS NULL
RETURNING position, kind;

-- waiting_again --
-- Messages that certainly did not leave on their last try and were not marked again since.
SELECT last.position, last.attempt::int AS attempt
  FROM (SELECT DISTINCT ON (position) position, attempt, kind FROM smsflow_outcomes
         WHERE preparation = %(preparation)s ORDER BY position, attempt DESC) AS last
 WHERE last.kind = 'not_sent'
   AND NOT EXISTS (SELECT FROM smsflow_marks k
                    WHERE k.preparation = %(preparation)s AND k.position = last.position
                      AND k.attempt > last.attempt)
 ORDER BY last.position;

-- delivery_state --
-- What the people who may pause or stop it say now.
SELECT state, preparation, expires_at IS NOT NULL AND expires_at <= clock_timestamp() AS expired
  FROM smsflow_deliveries WHERE no = %(delivery_no)s;

-- open_chunk --
-- The first chunk with messages nobody has taken. Walks the primary key of smsflow_chunks.
SELECT chunk, next_position, last_position FROM smsflow_chunks
 WHERE preparation = %(preparation)s AND next_position <= last_position ORDER BY chunk LIMIT 1;

-- take_messages --
-- The next messages of one chunk, with what changed since they were prepared: an opt-out is honoured
-- here too. Walks the primary key of the preparation's partition and of smsflow_opt_outs.
SELECT m.position, m.phone, m.sender, m.body, m.encoding, m.parts,
       EXISTS (SELECT FROM smsflow_opt_outs x WHERE x.phone = m.phone AND x.scope = ANY(%(scopes)s)) AS opted_out
  FROM smsflow_messages m
 WHERE m.preparation = %(preparation)s AND m.position BETWEEN %(first)s AND %(last)s
 ORDER BY m.position;

-- take_again --
-- Messages that go once more, but for those that have a receipt. Same shape as take_messages.
SELECT m.position, m.phone, m.sender, m.body, m.encoding, m.parts,
       EXISTS (SELECT FROM smsflow_opt_outs x WHERE x.phone = m.phone AND x.scope = ANY(%(scopes)s)) AS opted_out
  FROM smsflow_messages m
 WHERE m.preparation = %(preparation)s AND m.position = ANY(%(positions)s)
   AND NOT EXISTS (SELECT FROM smsflow_receipts r
                    WHERE r.preparation = %(preparation)s AND r.position = m.position)
 ORDER BY m.position;

-- reported --
-- Which of these messages have a receipt: they left, whatever the gateway answered. Walks the primary key.
SELECT position FROM smsflow_receipts WHERE preparation = %(preparation)s AND position = ANY(%(positions)s);

-- advance_chunk --
-- The messages before next_position are taken.
UPDATE smsflow_chunks SET next_position = %(next_position)s
 WHERE preparation = %(preparation)s AND chunk = %(chunk)s;

-- write_marks --
-- The intent: written, committed, and only then handed over. The primary key makes a second mark of
-- the same attempt impossible, whoever tries.
INSERT INTO smsflow_marks (preparation, position, attempt, epoch)
SELECT %(preparation)s, position, attempt, %(epoch)s
  FROM unnest(%(positions)s::integer[], %(attempts)s::smallint[]) AS t (position, attempt);

-- write_outcomes --
-- What became of hand-overs, or why there was none. Appended, never changed.
INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code, gateway_ref)
SELECT %(preparation)s, position, attempt, kind, code, gateway_ref
  FROM unnest(%(positions)s::integer[], %(attempts)s::smallint[], %(kinds)s::text[], %(codes)s::text[],
              %(gateway_refs)s::text[]) AS t (position, attempt, kind, code, gateway_ref);

-- close_rest --
-- Settle every message nobody has taken, with the reason.
INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code)
SELECT m.preparation, m.position, 0, %(kind)s, %(code)s
  FROM smsflow_chunks c
  JOIN smsflow_messages m ON m.preparation = c.preparation AND m.position BETWEEN c.next_position AND c.last_position
 WHERE c.preparation = %(preparation)s AND m.preparation = %(preparation)s AND c.next_position <= c.last_position;

-- close_chunks_cancelled --
-- The counters that go with close_rest.
UPDATE smsflow_chunks SET cancelled = cancelled + last_position - next_position + 1, next_position = last_position + 1
 WHERE preparation = %(preparation)s AND next_position <= last_position;

-- close_chunks_expired --
-- The counters that go with close_rest.
UPDATE smsflow_chunks SET expired = expired + last_position - next_position + 1, next_position = last_position + 1
 WHERE preparation = %(preparation)s AND next_position <= last_position;

-- read_prepared --
-- Every prepared message in order, to compute the fingerprint once more before the first one leaves.
SELECT position, phone, recipient_id, sender, body, encoding, parts FROM smsflow_messages
 WHERE preparation = %(preparation)s ORDER BY position;
