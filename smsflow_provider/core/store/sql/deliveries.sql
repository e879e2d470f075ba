-- ensure_delivery --
-- Make the delivery of one task of one run, or leave the one that is there. Walks the unique index on id.
INSERT INTO smsflow_deliveries (id, kind, label, dag_id, run_id, task_id, map_index, created_by)
VALUES (%(id)s, %(kind)s, %(label)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(map_index)s, %(actor)s)
ON CONFLICT (id) DO NOTHING;

-- find_delivery --
-- One delivery. Walks the unique index on id.
SELECT * FROM smsflow_deliveries WHERE id = %(id)s;

-- lock_delivery --
-- One delivery, held until the transaction ends, so that two decisions cannot cross.
SELECT * FROM smsflow_deliveries WHERE id = %(id)s FOR UPDATE;

-- near_ids --
-- Ids of the latest deliveries, to name a near one in an error. Walks smsflow_deliveries_created_v1.
SELECT id FROM smsflow_deliveries ORDER BY created_at DESC, no DESC LIMIT 200;

-- list_deliveries --
-- The latest deliveries, newest first, before a given number. Walks smsflow_deliveries_created_v1.
SELECT d.*, c.* FROM (
    SELECT * FROM smsflow_deliveries
     WHERE (%(before_no)s::bigint IS NULL OR no < %(before_no)s) AND (%(state)s::text IS NULL OR state = %(state)s)
       AND (%(kind)s::text IS NULL OR kind = %(kind)s)
     ORDER BY created_at DESC, no DESC LIMIT %(limit)s) AS d
  LEFT JOIN LATERAL (
    SELECT coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(unknown), 0)::bigint AS unknown, coalesce(sum(cancelled), 0)::bigint AS cancelled,
           coalesce(sum(expired), 0)::bigint AS expired, coalesce(sum(delivered), 0)::bigint AS delivered,
           coalesce(sum(undelivered), 0)::bigint AS undelivered
      FROM smsflow_chunks WHERE preparation = d.preparation) AS c ON true
 ORDER BY d.created_at DESC, d.no DESC;

-- move_delivery --
-- Move a delivery only if it still stands where the caller believes it stands. The trigger refuses
-- moves that are not in smsflow_delivery_moves.
UPDATE smsflow_deliveries
   SET state = %(target)s, moved_at = now(), moved_by = %(actor)s,
       ended_at = CASE WHEN %(target)s IN ('finished', 'stopped') THEN now() ELSE ended_at END
 WHERE id = %(id)s AND state = %(current)s
RETURNING no;

-- figures --
-- Where the messages of one delivery stand: sums of chunk counters, never a count of rows.
-- Walks the primary key of smsflow_chunks.
SELECT coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(failed), 0)::bigint AS failed,
       coalesce(sum(unknown), 0)::bigint AS unknown, coalesce(sum(cancelled), 0)::bigint AS cancelled,
       coalesce(sum(expired), 0)::bigint AS expired, coalesce(sum(delivered), 0)::bigint AS delivered,
       coalesce(sum(undelivered), 0)::bigint AS undelivered,
       coalesce(sum(next_position - first_position), 0)::bigint AS taken
  FROM smsflow_chunks WHERE preparation = %(preparation)s;

-- causes --
-- How often each code ended a message of one delivery; a message that went again counts by its last try.
-- Reads the delivery's outcomes, and looks those up that ended badly by the primary key.
SELECT o.kind, o.code, count(*)::bigint AS messages FROM smsflow_outcomes o
 WHERE o.preparation = %(preparation)s AND o.kind NOT IN ('accepted', 'not_sent')
   AND NOT EXISTS (SELECT FROM smsflow_outcomes later WHERE later.preparation = %(preparation)s
                      AND later.position = o.position AND later.attempt > o.attempt)
 GROUP BY o.kind, o.code ORDER BY messages DESC, o.kind, o.code LIMIT 50;

-- write_log --
-- Add one line to the levelled log of a delivery.
INSERT INTO smsflow_log (delivery_no, preparation, level, event, problem, facts)
VALUES (%(delivery_no)s, %(preparation)s, %(level)s, %(event)s, %(problem)s, %(facts)s);

-- read_log --
-- The log of the current preparation and of all that followed. Walks smsflow_log_delivery_v1.
SELECT l.logged_at, l.level, l.event, l.problem, l.facts
  FROM smsflow_log l JOIN smsflow_deliveries d ON d.no = l.delivery_no AND d.preparation = l.preparation
 WHERE l.delivery_no = %(delivery_no)s ORDER BY l.no;

-- sample_messages --
-- Messages of one delivery by position. Walks the primary key of its partition.
SELECT position, phone, recipient_id, sender, body, encoding, parts, region, language FROM smsflow_messages
 WHERE preparation = %(preparation)s AND position = ANY(%(positions)s) ORDER BY position;

-- positions_of_recipients --
-- Where the messages of some recipients stand. Reads the preparation's messages once, for all of them.
SELECT position, recipient_id FROM smsflow_messages
 WHERE preparation = %(preparation)s AND recipient_id = ANY(%(recipients)s) ORDER BY position;

-- exclusions_of_phone --
-- Why rows with one number got no message. Reads the preparation's exclusions.
SELECT row_number, recipient_id, reason, detail, winner_id FROM smsflow_exclusions
 WHERE preparation = %(preparation)s AND phone = %(phone)s ORDER BY row_number;

-- exclusions_of_recipient --
-- Why rows with one recipient id got no message. Reads the preparation's exclusions.
SELECT row_number, recipient_id, reason, detail, winner_id FROM smsflow_exclusions
 WHERE preparation = %(preparation)s AND recipient_id = %(recipient_id)s ORDER BY row_number;
