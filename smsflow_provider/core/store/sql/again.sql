-- hold_sending --
-- Whether the delivery is being sent, and keep it so until the transaction ends: what goes again in one that
-- was stopped meanwhile would wait for ever. By its primary key.
SELECT no FROM smsflow_deliveries
 WHERE no = %(delivery_no)s AND preparation = %(preparation)s AND state = 'sending' FOR SHARE;

-- lock_doubtful --
-- The chunks with messages in doubt, locked in one order. Walks the primary key of smsflow_chunks.
SELECT chunk FROM smsflow_chunks
 WHERE preparation = %(preparation)s AND unknown > 0 ORDER BY chunk FOR UPDATE;

-- again --
-- Messages in doubt that are old enough and went again less than twice: as if they had not been taken.
-- Walks the primary key of outcomes in chunks with messages in doubt.
UPDATE smsflow_outcomes o SET kind = 'not_sent', code = 'again_by_policy', settled_at = clock_timestamp()
  FROM smsflow_chunks c
 WHERE c.preparation = %(preparation)s AND c.unknown > 0
   AND o.preparation = %(preparation)s AND o.position BETWEEN c.first_position AND c.last_position
   AND o.kind = 'unknown' AND o.settled_at <= clock_timestamp() - %(older_than_s)s * interval '1 second'
   AND (SELECT count(*) FROM smsflow_outcomes b
         WHERE b.preparation = %(preparation)s AND b.position = o.position AND b.code = 'again_by_policy') < 2
   AND NOT EXISTS (SELECT FROM smsflow_receipts r WHERE r.preparation = %(preparation)s AND r.position = o.position)
RETURNING o.position;

-- next_doubt --
-- How long until the next message in doubt is old enough.
SELECT extract(epoch FROM min(o.settled_at) - clock_timestamp() + %(older_than_s)s * interval '1 second')::float AS left_s
  FROM smsflow_chunks c
  JOIN smsflow_outcomes o ON o.preparation = %(preparation)s AND o.position BETWEEN c.first_position AND c.last_position
 WHERE c.preparation = %(preparation)s AND c.unknown > 0 AND o.kind = 'unknown'
   AND (SELECT count(*) FROM smsflow_outcomes b
         WHERE b.preparation = %(preparation)s AND b.position = o.position AND b.code = 'again_by_policy') < 2
   AND NOT EXISTS (SELECT FROM smsflow_receipts r WHERE r.preparation = %(preparation)s AND r.position = o.position);
