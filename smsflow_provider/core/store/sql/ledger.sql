-- ensure_lanes --
-- The lease rows of one delivery: lane 0 is the gate, the others are for one worker each.
INSERT INTO smsflow_leases (delivery_no, lane)
SELECT %(delivery_no)s, lane FROM generate_series(0, %(lanes)s) AS lane ON CONFLICT DO NOTHING;

-- lock_gate --
-- Who holds the gate. Senders of the former version take this row, and nothing else, to send.
SELECT owner, epoch, heartbeat_at >= clock_timestamp() - %(lease_s)s * interval '1 second' AS is_alive
  FROM smsflow_leases WHERE delivery_no = %(delivery_no)s AND lane = 0 FOR UPDATE;

-- hold_gate --
-- Keep senders of the former version out: one that was frozen and wakes up finds another epoch.
UPDATE smsflow_leases SET heartbeat_at = clock_timestamp(), owner = %(gate)s,
       epoch = CASE WHEN owner = %(gate)s THEN epoch ELSE epoch + 1 END
 WHERE delivery_no = %(delivery_no)s AND lane = 0;

-- keep_gate --
-- Say "still here" at the gate. No row back: this worker was silent too long, and a sender of the former version
-- has taken over.
UPDATE smsflow_leases SET heartbeat_at = clock_timestamp()
 WHERE delivery_no = %(delivery_no)s AND lane = 0 AND owner = %(gate)s
RETURNING epoch;

-- living_lanes --
-- How many workers hold a lane and have said so lately.
SELECT count(*)::int AS living FROM smsflow_leases
 WHERE delivery_no = %(delivery_no)s AND lane > 0 AND owner <> ''
   AND heartbeat_at >= clock_timestamp() - %(lease_s)s * interval '1 second';

-- lost_lanes --
-- Lanes of workers that were silent too long. One whose row is locked is just saying that it is alive.
SELECT lane, epoch FROM smsflow_leases
 WHERE delivery_no = %(delivery_no)s AND lane > 0 AND owner <> ''
   AND (heartbeat_at IS NULL OR heartbeat_at < clock_timestamp() - %(lease_s)s * interval '1 second')
 ORDER BY lane FOR UPDATE SKIP LOCKED;

-- fence_lanes --
-- A new epoch makes every later write of the former holders fail.
UPDATE smsflow_leases SET owner = '', heartbeat_at = NULL, epoch = nextval('smsflow_epochs')
 WHERE delivery_no = %(delivery_no)s AND lane = ANY(%(lost)s);

-- take_lane --
-- Take the first free lane. The server's clock decides: workers' clocks may differ.
UPDATE smsflow_leases SET owner = %(owner)s, epoch = nextval('smsflow_epochs'), heartbeat_at = clock_timestamp()
 WHERE (delivery_no, lane) = (
       SELECT delivery_no, lane FROM smsflow_leases
        WHERE delivery_no = %(delivery_no)s AND lane > 0 AND owner = ''
        ORDER BY lane LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING lane, epoch;

-- hold_lease --
-- Say "still here" and lock the lease until the transaction ends. No row back: somebody else owns it.
UPDATE smsflow_leases SET heartbeat_at = clock_timestamp()
 WHERE delivery_no = %(delivery_no)s AND lane = %(lane)s AND epoch = %(epoch)s AND owner <> ''
RETURNING epoch;

-- release_lease --
-- Give the lane back, with everything settled.
UPDATE smsflow_leases SET owner = '', heartbeat_at = NULL
 WHERE delivery_no = %(delivery_no)s AND lane = %(lane)s AND epoch = %(epoch)s;

-- abandon_lease --
-- Leave marks behind that nobody has settled: the next worker settles them at once.
UPDATE smsflow_leases SET heartbeat_at = NULL
 WHERE delivery_no = %(delivery_no)s AND lane = %(lane)s AND epoch = %(epoch)s;

-- first_epoch --
-- The worker that has been here longest of those who hold a lane.
SELECT min(epoch) AS epoch FROM smsflow_leases WHERE delivery_no = %(delivery_no)s AND lane > 0 AND owner <> '';

-- begin_sending --
-- The first claim: the clock of the validity starts here, and so does the first wave.
UPDATE smsflow_deliveries
   SET state = 'sending', sending_at = now(), moved_at = now(), moved_by = %(actor)s,
       expires_at = now() + validity_s * interval '1 second',
       wave = CASE WHEN %(wave_until)s::integer IS NULL THEN 0 ELSE 1 END, wave_until = %(wave_until)s
 WHERE no = %(delivery_no)s AND state = 'approved' AND preparation = %(preparation)s
RETURNING no;

-- lock_leased_chunks --
-- The chunks that lost workers held, in the order in which receipts lock them too.
SELECT chunk FROM smsflow_chunks
 WHERE preparation = %(preparation)s AND epoch = ANY(%(epochs)s) ORDER BY chunk FOR UPDATE;

-- lock_all_chunks --
-- Every chunk of a delivery that a sender of the former version worked on.
SELECT chunk FROM smsflow_chunks WHERE preparation = %(preparation)s ORDER BY chunk FOR UPDATE;

-- orphaned_marks --
-- Messages of these chunks that were marked and never settled. With a receipt they left for certain,
-- without one nobody knows: they are never sent again by themselves. Walks the primary keys of marks,
-- outcomes and receipts.
INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code)
SELECT k.preparation, k.position, k.attempt,
       CASE WHEN r.position IS NULL THEN 'unknown' ELSE 'accepted' END,
       CASE WHEN r.position IS NULL THEN 'sender_lost' ELSE 'by_receipt' END
  FROM smsflow_chunks c
  JOIN smsflow_marks k ON k.preparation = %(preparation)s AND k.position BETWEEN c.first_position AND c.last_position
  LEFT JOIN smsflow_outcomes o ON o.preparation = %(preparation)s AND o.position = k.position AND o.attempt = k.attempt
  LEFT JOIN smsflow_receipts r ON r.preparation = %(preparation)s AND r.position = k.position
 WHERE c.preparation = %(preparation)s AND c.chunk = ANY(%(chunks)s) AND o.position IS NULL
RETURNING position, kind;

-- free_chunks --
-- Nobody holds these chunks any more.
UPDATE smsflow_chunks SET epoch = NULL WHERE preparation = %(preparation)s AND chunk = ANY(%(chunks)s);

-- count_waiting --
-- Count anew what waits for another attempt: senders of the former version did not.
UPDATE smsflow_chunks c SET epoch = NULL, waiting = (
       SELECT count(*) FROM (
              SELECT DISTINCT ON (position) position, attempt, kind FROM smsflow_outcomes
               WHERE preparation = %(preparation)s AND position BETWEEN c.first_position AND c.last_position
               ORDER BY position, attempt DESC) AS last
        WHERE last.kind = 'not_sent'
          AND NOT EXISTS (SELECT FROM smsflow_marks k WHERE k.preparation = %(preparation)s
                             AND k.position = last.position AND k.attempt > last.attempt))
 WHERE c.preparation = %(preparation)s;

-- waiting_again --
-- Messages of these chunks that certainly did not leave on their last try and were not marked since.
-- Walks the primary keys of outcomes and marks.
SELECT last.position, last.attempt::int AS attempt
  FROM smsflow_chunks c
 CROSS JOIN LATERAL (
       SELECT DISTINCT ON (o.position) o.position, o.attempt, o.kind FROM smsflow_outcomes o
        WHERE o.preparation = %(preparation)s AND o.position BETWEEN c.first_position AND c.last_position
        ORDER BY o.position, o.attempt DESC) AS last
 WHERE c.preparation = %(preparation)s AND c.chunk = ANY(%(chunks)s) AND c.waiting > 0 AND last.kind = 'not_sent'
   AND NOT EXISTS (SELECT FROM smsflow_marks k
                    WHERE k.preparation = %(preparation)s AND k.position = last.position
                      AND k.attempt > last.attempt)
 ORDER BY last.position;

-- closable_chunks --
-- Chunks with something left that nobody else holds.
SELECT chunk, waiting FROM smsflow_chunks
 WHERE preparation = %(preparation)s AND (epoch IS NULL OR epoch = %(epoch)s)
   AND (waiting > 0 OR next_position <= last_position)
 ORDER BY chunk FOR UPDATE;

-- delivery_state --
-- What the people who may pause, stop or switch off say now, how far the wave goes, and how many work.
SELECT d.state, d.preparation, d.wave_until, coalesce(s.is_off, false) AS is_off,
       d.expires_at IS NOT NULL AND d.expires_at <= clock_timestamp() AS expired,
       (SELECT count(*)::int FROM smsflow_leases l
         WHERE l.delivery_no = d.no AND l.lane > 0 AND l.owner <> '') AS workers
  FROM smsflow_deliveries d LEFT JOIN smsflow_switch s ON s.no = 1
 WHERE d.no = %(delivery_no)s;

-- lease_chunk --
-- Take the first chunk after the given one with messages that may leave. Walks the primary key.
UPDATE smsflow_chunks SET epoch = %(epoch)s
 WHERE (preparation, chunk) = (
       SELECT preparation, chunk FROM smsflow_chunks
        WHERE preparation = %(preparation)s AND chunk > %(after)s AND epoch IS NULL
          AND (next_position <= least(last_position, coalesce(%(until)s::integer, last_position)) OR waiting > 0)
        ORDER BY chunk LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING chunk, first_position, next_position, last_position, waiting;

-- commit_later --
-- Do not wait for the disk when this transaction commits: whatever is committed behind it does.
SELECT set_config('synchronous_commit', 'off', true);

-- read_messages --
-- Prepared messages of one chunk in order, each value as ``Taken`` has it. Walks the primary key of the preparation's partition.
SELECT position, phone, sender, body, encoding, parts, region, 0 AS attempt FROM smsflow_messages
 WHERE preparation = %(preparation)s AND position BETWEEN %(first)s AND %(last)s ORDER BY position;

-- read_waiting --
-- The same by position, for messages that go once more.
SELECT position, phone, sender, body, encoding, parts, region, 0 AS attempt FROM smsflow_messages
 WHERE preparation = %(preparation)s AND position = ANY(%(positions)s) ORDER BY position;

-- suppressed --
-- Which of these people opted out or were quarantined since the preparation; and, as number 0, whether anybody was
-- ever erased. Walks the primary keys of smsflow_opt_outs and smsflow_quarantine.
SELECT phone, min(reason) AS reason FROM (
       SELECT x.phone, 'opted_out' AS reason FROM smsflow_opt_outs x
        WHERE x.phone = ANY(%(phones)s::bigint[]) AND x.scope = ANY(%(scopes)s)
        UNION ALL
       SELECT q.phone, 'quarantined' FROM smsflow_quarantine q
        WHERE q.phone = ANY(%(phones)s::bigint[]) AND q.quarantined_at IS NOT NULL
        UNION ALL
       SELECT 0, 'erased' WHERE EXISTS (SELECT FROM smsflow_erased)) AS found
 GROUP BY phone;

-- reported --
-- Which of these messages have a receipt: they left, whatever the gateway answered. Walks the primary key.
SELECT position FROM smsflow_receipts WHERE preparation = %(preparation)s AND position = ANY(%(positions)s);

-- move_chunk --
-- Add to the counters of a chunk this worker holds, say how far it is taken, and give it back when all
-- of it is settled.
UPDATE smsflow_chunks
   SET accepted = accepted + %(accepted)s, failed = failed + %(failed)s, unknown = unknown + %(unknown)s,
       cancelled = cancelled + %(cancelled)s, expired = expired + %(expired)s, waiting = waiting + %(waiting)s,
       next_position = greatest(next_position, %(next_position)s::integer),
       epoch = CASE WHEN %(is_free)s THEN NULL ELSE epoch END
 WHERE preparation = %(preparation)s AND chunk = %(chunk)s AND epoch = %(epoch)s
RETURNING chunk;

-- close_rest --
-- Settle every message of these chunks that nobody has taken, with the reason.
INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code)
SELECT m.preparation, m.position, 0, %(kind)s, %(code)s
  FROM smsflow_chunks c
  JOIN smsflow_messages m ON m.preparation = c.preparation AND m.position BETWEEN c.next_position AND c.last_position
 WHERE c.preparation = %(preparation)s AND m.preparation = %(preparation)s AND c.chunk = ANY(%(chunks)s)
   AND c.next_position <= c.last_position;

-- close_chunks --
-- The counters that go with close_rest.
UPDATE smsflow_chunks
   SET cancelled = cancelled + CASE WHEN %(kind)s = 'cancelled' THEN last_position - next_position + 1 ELSE 0 END,
       expired = expired + CASE WHEN %(kind)s = 'expired' THEN last_position - next_position + 1 ELSE 0 END,
       next_position = last_position + 1
 WHERE preparation = %(preparation)s AND chunk = ANY(%(chunks)s);

-- work_left --
-- Chunks that somebody holds, or with messages that have not left. Reads one row per thousand messages.
SELECT count(*)::int AS chunks FROM smsflow_chunks
 WHERE preparation = %(preparation)s AND (epoch IS NOT NULL OR next_position <= last_position OR waiting > 0);

-- read_prepared --
-- Every prepared message in order, each as its digest reads it (see MessageDigest), to compute the fingerprint once
-- more before the first one leaves. Walks the primary key of the preparation's partition.
SELECT concat_ws('|', position, phone, parts, encoding, length(recipient_id), length(sender), length(body),
                 recipient_id || sender || body) AS written
  FROM smsflow_messages
 WHERE preparation = %(preparation)s ORDER BY position;
