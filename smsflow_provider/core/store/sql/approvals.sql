-- record_approval --
-- Write the decision on one preparation. There can be one only: the unique index refuses a second.
INSERT INTO smsflow_approvals (delivery_no, preparation, fingerprint, decision, decided_by,
                               decided_by_name, comment, via, expires_at)
VALUES (%(delivery_no)s, %(preparation)s, %(fingerprint)s, %(decision)s, %(decided_by)s, %(decided_by_name)s,
        %(comment)s, %(via)s,
        now() + %(valid_s)s * interval '1 second')
RETURNING *, (expires_at IS NOT NULL AND expires_at <= now()) AS expired;

-- find_approval --
-- The decision on the current preparation. Walks the unique index.
SELECT a.*, (a.expires_at IS NOT NULL AND a.expires_at <= now()) AS expired FROM smsflow_approvals a
 WHERE a.delivery_no = %(delivery_no)s AND a.preparation = %(preparation)s;

-- close_other_reviews --
-- A task asks about one delivery at a time: what it asked before is over. Walks the unique index.
DELETE FROM smsflow_reviews
 WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
   AND delivery_no <> %(delivery_no)s;

-- open_review --
-- Note that a person is being asked now. Asked again: the new moment counts.
INSERT INTO smsflow_reviews (delivery_no, dag_id, run_id, task_id, map_index, fingerprint)
VALUES (%(delivery_no)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(map_index)s, %(fingerprint)s)
ON CONFLICT (delivery_no) DO UPDATE
   SET opened_at = clock_timestamp(), fingerprint = excluded.fingerprint, dag_id = excluded.dag_id,
       run_id = excluded.run_id, task_id = excluded.task_id, map_index = excluded.map_index;

-- review_age --
-- Seconds since the request of this task was opened. Walks the unique index of smsflow_reviews.
SELECT extract(epoch FROM clock_timestamp() - opened_at)::float AS age_s FROM smsflow_reviews
 WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s;

-- find_review --
-- The task that asks, or asked last, about one delivery. Walks the primary key.
SELECT dag_id, run_id, task_id, map_index, fingerprint, opened_at FROM smsflow_reviews
 WHERE delivery_no = %(delivery_no)s;
