-- due_archives --
-- Deliveries that ended longer ago than retention allows and still have their rows, the oldest first. Campaigns
-- stay as long as a pressure rule may count their texts. One that was stopped and not closed yet is left alone.
-- Reads smsflow_deliveries once (a row per delivery, no messages) and walks primary keys.
SELECT d.id, d.kind FROM smsflow_deliveries d JOIN smsflow_preparations p ON p.no = d.preparation
 WHERE d.state IN ('finished', 'stopped', 'rejected', 'expired')
   AND p.published_at IS NOT NULL AND p.dropped_at IS NULL
   AND greatest(d.moved_at, d.ended_at)
       < now() - (CASE WHEN d.kind = 'campaign' THEN greatest(%(days)s::integer, %(counted_days)s::integer)
                       ELSE %(days)s::integer END) * interval '1 day'
   AND NOT (d.state = 'stopped' AND EXISTS (SELECT FROM smsflow_chunks c
             WHERE c.preparation = d.preparation AND c.next_position <= c.last_position))
   AND NOT (d.state = 'stopped' AND EXISTS (SELECT FROM smsflow_reservations r
             WHERE r.preparation = d.preparation AND r.kept_parts IS NULL))
 ORDER BY d.no;

-- longest_pressure --
-- The longest window, in days, of any pressure rule that a delivery of the last year was prepared with; 0: none.
-- Reads smsflow_deliveries: for maintenance.
SELECT coalesce(max((rule ->> 'days')::integer), 0)::integer AS days
  FROM smsflow_deliveries d,
       jsonb_array_elements(CASE WHEN jsonb_typeof(d.settings #> '{typology,rules}') = 'array'
                                 THEN d.settings #> '{typology,rules}' ELSE '[]' END) AS rule
 WHERE d.created_at > now() - interval '366 days' AND rule ->> 'kind' = 'pressure';

-- try_archiving --
-- One archiver at a time, as long as its connection lives.
SELECT pg_try_advisory_lock(hashtext('smsflow archive')) AS is_ours;

-- archivable --
-- Some deliveries with what an archive needs to know of them. Walks the unique index on id; reads the inbox.
SELECT d.no, d.id, d.kind, d.state, d.preparation, d.to_deliver, p.published_at, p.dropped_at,
       EXISTS (SELECT FROM smsflow_receipt_inbox i WHERE i.preparation = d.preparation) AS receipts_wait
  FROM smsflow_deliveries d LEFT JOIN smsflow_preparations p ON p.no = d.preparation
 WHERE d.id = ANY(%(ids)s) ORDER BY d.no;

-- hold_archivable --
-- Hold deliveries until the end of the transaction, so that no resend begins meanwhile.
SELECT no FROM smsflow_deliveries WHERE no = ANY(%(numbers)s) ORDER BY no FOR UPDATE;

-- hold_chunks --
-- Hold the counters of some preparations, so that no receipt is applied meanwhile. Walks the primary key.
SELECT chunk FROM smsflow_chunks WHERE preparation = ANY(%(preparations)s)
 ORDER BY preparation, chunk FOR UPDATE;

-- stamp --
-- What changes whenever something of a preparation does: its counters and its receipts. Walks primary keys by
-- the number of the preparation; reads its receipts.
SELECT concat_ws('/',
         (SELECT md5(string_agg(concat_ws(',', chunk, next_position, accepted, failed, unknown, cancelled, expired,
                                          delivered, undelivered, waiting), ';' ORDER BY chunk))
            FROM smsflow_chunks WHERE preparation = %(preparation)s),
         (SELECT concat_ws(',', count(*), max(received_at)) FROM smsflow_receipts WHERE preparation = %(preparation)s)
       ) AS stamp;

-- bounds --
-- The last position and the last row number of one preparation; 0: none. Walks the ends of the primary keys.
SELECT coalesce((SELECT max(position) FROM smsflow_messages WHERE preparation = %(preparation)s), 0) AS positions,
       coalesce((SELECT max(row_number) FROM smsflow_exclusions WHERE preparation = %(preparation)s), 0) AS row_numbers;

-- read_messages --
-- Messages of one preparation with what became of them, some positions at a time. Walks primary keys. It says what
-- smsflow_message_states says, and names the preparation for each table: through the view the server plans, and locks,
-- the partitions of every other preparation as well.
SELECT m.position, m.phone, m.recipient_id, m.sender, m.body, m.encoding, m.parts, m.region, m.kind,
       coalesce(z.names, '') AS zones, m.language,
       CASE WHEN r.kind IN ('delivered', 'undelivered') THEN r.kind
            WHEN o.kind = 'not_sent' THEN 'sending'
            WHEN o.kind IS NOT NULL AND (k.attempt IS NULL OR o.attempt >= k.attempt) THEN o.kind
            WHEN k.attempt IS NOT NULL THEN 'sending'
            ELSE 'prepared' END AS state,
       coalesce(nullif(r.code, ''), o.code, '') AS code,
       coalesce(nullif(r.gateway_ref, ''), o.gateway_ref, '') AS gateway_ref,
       coalesce(r.received_at, o.settled_at, k.marked_at) AS changed_at,
       coalesce(r.kind, '') AS receipt, r.received_at
  FROM smsflow_messages m
  LEFT JOIN LATERAL (SELECT attempt, marked_at FROM smsflow_marks
                      WHERE preparation = %(preparation)s AND position = m.position
                      ORDER BY attempt DESC LIMIT 1) k ON true
  LEFT JOIN LATERAL (SELECT attempt, kind, code, gateway_ref, settled_at FROM smsflow_outcomes
                      WHERE preparation = %(preparation)s AND position = m.position
                      ORDER BY attempt DESC LIMIT 1) o ON true
  LEFT JOIN smsflow_receipts r ON r.preparation = %(preparation)s AND r.position = m.position
  LEFT JOIN smsflow_zones z ON z.no = m.zone
 WHERE m.preparation = %(preparation)s AND m.position BETWEEN %(first)s AND %(last)s
 ORDER BY m.position;

-- read_attempts --
-- Every hand-over of one preparation and what came of it, some positions at a time. Walks primary keys.
SELECT position, attempt, k.epoch, k.route, k.marked_at, o.kind AS outcome, o.code, o.gateway_ref, o.settled_at
  FROM (SELECT * FROM smsflow_marks
         WHERE preparation = %(preparation)s AND position BETWEEN %(first)s AND %(last)s) AS k
  FULL JOIN (SELECT * FROM smsflow_outcomes
              WHERE preparation = %(preparation)s AND position BETWEEN %(first)s AND %(last)s) AS o
       USING (position, attempt)
 ORDER BY position, attempt;

-- read_receipt_parts --
-- What was reported about single parts, some positions at a time. Walks the primary key.
SELECT position, part, parts, kind, code FROM smsflow_receipt_parts
 WHERE preparation = %(preparation)s AND position BETWEEN %(first)s AND %(last)s ORDER BY position, part;

-- read_exclusions --
-- Who got no message and why, some row numbers at a time. Walks the primary key.
SELECT row_number, phone, recipient_id, reason, detail, winner_id FROM smsflow_exclusions
 WHERE preparation = %(preparation)s AND row_number BETWEEN %(first)s AND %(last)s ORDER BY row_number;

-- forget_references --
-- The gateway's own ids of messages that go. Walks smsflow_references_preparation_v1.
DELETE FROM smsflow_references WHERE preparation = %(preparation)s;

-- forget_receipt_parts --
-- Reports about single parts of messages that go. Walks the primary key.
DELETE FROM smsflow_receipt_parts WHERE preparation = %(preparation)s;

-- mark_archived --
-- Say that the rows are gone, since when and where they are now.
UPDATE smsflow_preparations SET dropped_at = now(), archived_at = now(), archive_uri = %(uri)s
 WHERE no = %(preparation)s AND dropped_at IS NULL;

-- keep_causes --
-- Keep, with the figures, how often each code ended a message: its rows go now.
UPDATE smsflow_deliveries SET figures = figures || jsonb_build_object('causes', %(causes)s::jsonb)
 WHERE no = %(delivery_no)s;

-- find_archive --
-- When and where to the messages of one preparation were archived. Walks the primary key.
SELECT archived_at, archive_uri FROM smsflow_preparations WHERE no = %(preparation)s AND archived_at IS NOT NULL;

-- prune_strays --
-- Forget receipts that fitted nothing, some at a time. Walks the primary key from its beginning.
DELETE FROM smsflow_stray_receipts
 WHERE no IN (SELECT no FROM smsflow_stray_receipts ORDER BY no LIMIT %(limit)s)
   AND received_at < now() - %(days)s * interval '1 day';
