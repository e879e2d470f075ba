-- lock_all_chunks --
-- The chunks of one preparation with messages that failed or expired, in the order in which receipts
-- lock them too. Walks the primary key.
SELECT chunk FROM smsflow_chunks
 WHERE preparation = %(preparation)s AND (failed > 0 OR expired > 0) ORDER BY chunk FOR UPDATE;

-- is_kept --
-- Whether the messages of one preparation are still in the store. By its primary key.
SELECT no FROM smsflow_preparations WHERE no = %(preparation)s AND dropped_at IS NULL AND archived_at IS NULL;

-- send_again --
-- Append to every message whose last outcome is one of these that it goes again, but for those with a
-- receipt: they left. Looks at the chunks that have any; walks the primary keys of outcomes and receipts.
WITH again AS (
    INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code)
    SELECT %(preparation)s, last.position, last.attempt + 1, 'not_sent', 'resend'
      FROM smsflow_chunks c
     CROSS JOIN LATERAL (
           SELECT DISTINCT ON (o.position) o.position, o.attempt, o.kind FROM smsflow_outcomes o
            WHERE o.preparation = %(preparation)s AND o.position BETWEEN c.first_position AND c.last_position
            ORDER BY o.position, o.attempt DESC) AS last
     WHERE c.preparation = %(preparation)s AND c.chunk = ANY(%(chunks)s) AND last.kind = ANY(%(kinds)s)
       AND NOT EXISTS (SELECT FROM smsflow_receipts r
                        WHERE r.preparation = %(preparation)s AND r.position = last.position)
    RETURNING position, attempt)
SELECT o.kind, (a.position - 1) / %(size)s AS chunk, count(*)::int AS messages
  FROM again a
  JOIN smsflow_outcomes o ON o.preparation = %(preparation)s AND o.position = a.position AND o.attempt = a.attempt - 1
 GROUP BY o.kind, chunk ORDER BY chunk, o.kind;

-- free_all_chunks --
-- Nobody holds a chunk of a delivery that has finished.
UPDATE smsflow_chunks SET epoch = NULL WHERE preparation = %(preparation)s AND epoch IS NOT NULL;

-- go_on --
-- The clock of the validity starts again, and so does the wait of a wave. By its primary key.
UPDATE smsflow_deliveries
   SET expires_at = now() + validity_s * interval '1 second', ended_at = NULL, wave_ended_at = NULL
 WHERE no = %(delivery_no)s;
