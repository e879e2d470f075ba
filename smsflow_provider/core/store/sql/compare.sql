-- previous_delivery --
-- The delivery of the same task of the same workflow before this one, if it has a complete preparation.
-- Walks smsflow_deliveries_run_v1 by its first column: all deliveries of one workflow.
SELECT id FROM smsflow_deliveries
 WHERE dag_id = %(dag_id)s AND dag_id <> '' AND task_id = %(task_id)s AND map_index = %(map_index)s
   AND kind = 'campaign' AND fingerprint IS NOT NULL AND (created_at, no) < (%(created_at)s, %(no)s)
 ORDER BY created_at DESC, no DESC LIMIT 1;

-- kept_preparations --
-- Which of these preparations still have their rows. Walks the primary key.
SELECT no FROM smsflow_preparations
 WHERE no = ANY(%(preparations)s) AND published_at IS NOT NULL AND dropped_at IS NULL;

-- count_changes --
-- How the messages of two preparations differ, number by number. Reads both partitions once and joins them
-- by a hash of the numbers.
SELECT count(*) FILTER (WHERE a.phone IS NULL)::bigint AS came,
       count(*) FILTER (WHERE b.phone IS NULL)::bigint AS gone,
       count(*) FILTER (WHERE a.phone = b.phone)::bigint AS stayed,
       count(*) FILTER (WHERE a.body <> b.body)::bigint AS text,
       count(*) FILTER (WHERE a.sender <> b.sender)::bigint AS sender,
       count(*) FILTER (WHERE a.parts <> b.parts)::bigint AS parts,
       count(*) FILTER (WHERE a.encoding <> b.encoding)::bigint AS encoding,
       count(*) FILTER (WHERE a.body <> b.body OR a.sender <> b.sender OR a.parts <> b.parts
                           OR a.encoding <> b.encoding)::bigint AS changed
  FROM (SELECT phone, body, sender, parts, encoding FROM smsflow_messages WHERE preparation = %(before)s) AS a
  FULL JOIN (SELECT phone, body, sender, parts, encoding FROM smsflow_messages WHERE preparation = %(after)s) AS b
    ON a.phone = b.phone;

-- missing_people --
-- People who get a message in one preparation and none in the other, by the reason there: first a row for
-- each reason with its count, then the first people. Reads the numbers of both and the exclusions of the
-- other once.
WITH missing AS (
    SELECT a.position, a.phone, a.recipient_id FROM smsflow_messages a
     WHERE a.preparation = %(one)s
       AND NOT EXISTS (SELECT FROM smsflow_messages b WHERE b.preparation = %(other)s AND b.phone = a.phone)),
reasons AS (
    SELECT phone, coalesce(min(reason) FILTER (WHERE reason <> 'duplicate'), 'duplicate') AS reason
      FROM smsflow_exclusions WHERE preparation = %(other)s AND phone IS NOT NULL GROUP BY phone),
found AS MATERIALIZED (
    SELECT m.position, m.phone, m.recipient_id, coalesce(x.reason, 'not_targeted') AS reason
      FROM missing m LEFT JOIN reasons x ON x.phone = m.phone)
(SELECT reason, count(*)::bigint AS recipients, NULL::integer AS position, NULL::bigint AS phone, NULL AS recipient_id
   FROM found GROUP BY reason ORDER BY 2 DESC, 1)
UNION ALL
(SELECT reason, NULL, position, phone, recipient_id FROM found ORDER BY position LIMIT %(limit)s);

-- sample_changed --
-- The first people whose message differs between two preparations, with both. Reads both partitions once.
SELECT b.position, b.phone, b.recipient_id,
       a.sender AS sender_before, a.body AS text_before, a.parts AS parts_before, a.encoding AS encoding_before,
       b.sender AS sender_after, b.body AS text_after, b.parts AS parts_after, b.encoding AS encoding_after
  FROM smsflow_messages b JOIN smsflow_messages a ON a.phone = b.phone
 WHERE a.preparation = %(before)s AND b.preparation = %(after)s
   AND (a.body <> b.body OR a.sender <> b.sender OR a.parts <> b.parts OR a.encoding <> b.encoding)
 ORDER BY b.position LIMIT %(limit)s;
