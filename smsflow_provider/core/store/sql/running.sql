-- lock_samples --
-- One process at a time notes a sample of a preparation; the others leave it. Until the transaction ends.
SELECT pg_try_advisory_xact_lock(hashtext('smsflow samples'), (%(preparation)s %% 2147483647)::int) AS is_ours;

-- last_samples --
-- The last two samples, newest first. Walks the primary key backwards.
SELECT at, accepted, failed, unknown, cancelled, expired, delivered, undelivered,
       at > clock_timestamp() - %(every_s)s * interval '1 second' AS is_fresh
  FROM smsflow_samples WHERE preparation = %(preparation)s ORDER BY at DESC LIMIT 2;

-- drop_sample --
-- One sample inside a flat run, of which the two ends are enough. By its primary key.
DELETE FROM smsflow_samples WHERE preparation = %(preparation)s AND at = %(at)s;

-- write_sample --
-- Where the messages stand now. By its primary key.
INSERT INTO smsflow_samples (preparation, at, accepted, failed, unknown, cancelled, expired, delivered, undelivered)
VALUES (%(preparation)s, clock_timestamp(), %(accepted)s, %(failed)s, %(unknown)s, %(cancelled)s, %(expired)s,
        %(delivered)s, %(undelivered)s)
ON CONFLICT DO NOTHING;

-- read_samples --
-- Samples since a moment, thinned: the last one of each of so many equal spans. Walks the primary key.
SELECT DISTINCT ON (span) at, accepted, failed, unknown, cancelled, expired, delivered, undelivered
  FROM (SELECT s.*, floor(%(most)s * extract(epoch FROM s.at - w.first_at) / greatest(w.long_s, 1)) AS span
          FROM smsflow_samples s
         CROSS JOIN (SELECT min(at) AS first_at, extract(epoch FROM max(at) - min(at)) AS long_s
                       FROM smsflow_samples WHERE preparation = %(preparation)s AND at >= %(since)s) AS w
         WHERE s.preparation = %(preparation)s AND s.at >= %(since)s) AS spans
 ORDER BY span, at DESC;

-- sample_before --
-- The last sample that is at least so old, else the first one. Walks the primary key.
(SELECT at, accepted, failed, unknown, cancelled, expired, delivered, undelivered FROM smsflow_samples
  WHERE preparation = %(preparation)s AND at <= %(before)s ORDER BY at DESC LIMIT 1)
UNION ALL
(SELECT at, accepted, failed, unknown, cancelled, expired, delivered, undelivered FROM smsflow_samples
  WHERE preparation = %(preparation)s AND at > %(before)s ORDER BY at LIMIT 1)
ORDER BY at LIMIT 1;

-- workers_alive --
-- Workers of a delivery that were heard of in the last ten seconds. Walks the primary key of smsflow_leases.
SELECT count(*)::int AS workers FROM smsflow_leases
 WHERE delivery_no = %(delivery_no)s AND owner <> '' AND heartbeat_at > clock_timestamp() - interval '10 seconds';

-- some_causes --
-- How often each code ended a message, in the first few chunks whose counters say that some ended badly.
-- Walks the primary key of smsflow_chunks, and those of the preparation's outcomes of those chunks.
SELECT o.kind, o.code, count(*)::bigint AS messages
  FROM (SELECT first_position, last_position FROM smsflow_chunks
         WHERE preparation = %(preparation)s AND failed + unknown + cancelled + expired > 0
         ORDER BY chunk LIMIT %(chunks)s) AS c
 CROSS JOIN LATERAL (
       SELECT position, attempt, kind, code FROM smsflow_outcomes
        WHERE preparation = %(preparation)s AND position BETWEEN c.first_position AND c.last_position
          AND kind NOT IN ('accepted', 'not_sent')
       OFFSET 0) AS o
 WHERE NOT EXISTS (SELECT FROM smsflow_outcomes later WHERE later.preparation = %(preparation)s
                      AND later.position = o.position AND later.attempt > o.attempt)
 GROUP BY o.kind, o.code ORDER BY messages DESC, o.kind, o.code LIMIT 50;

-- lock_summary --
-- One process at a time counts the messages of a preparation; the others leave it. Until the transaction ends.
SELECT pg_try_advisory_xact_lock(hashtext('smsflow summary'), (%(preparation)s %% 2147483647)::int) AS is_ours;

-- limit_counting --
-- The next statement ends after so long, in this transaction only.
SELECT set_config('statement_timeout', %(timeout)s, true), set_config('work_mem', '64MB', true);

-- count_messages --
-- Messages and parts by country, encoding, state and code. Walks the primary keys of the
-- preparation's messages, outcomes, marks and receipts over a range of positions: small sorts, in memory.
-- A state is what smsflow_message_states says; prepared and under way are waiting.
WITH lasts AS MATERIALIZED (
     SELECT DISTINCT ON (position) position, attempt, kind, code FROM smsflow_outcomes
      WHERE preparation = %(preparation)s AND position BETWEEN %(first)s AND %(last)s ORDER BY position, attempt DESC),
once_more AS MATERIALIZED (
     SELECT position, max(attempt) AS attempt FROM smsflow_marks
      WHERE preparation = %(preparation)s AND position BETWEEN %(first)s AND %(last)s AND attempt > 0 GROUP BY position)
SELECT region, encoding, state, CASE WHEN state IN ('accepted', 'delivered', 'waiting') THEN '' ELSE code END AS code,
       count(*)::bigint AS messages, sum(parts)::bigint AS parts
  FROM (SELECT m.region, m.encoding, m.parts,
               CASE WHEN r.kind IN ('delivered', 'undelivered') THEN r.kind
                    WHEN o.kind IS NULL OR o.kind = 'not_sent' OR o.attempt < a.attempt THEN 'waiting'
                    ELSE o.kind END AS state,
               coalesce(nullif(r.code, ''), o.code, '') AS code
          FROM smsflow_messages m
          LEFT JOIN lasts o ON o.position = m.position
          LEFT JOIN once_more a ON a.position = m.position
          LEFT JOIN smsflow_receipts r ON r.preparation = %(preparation)s AND r.position = m.position AND r.position BETWEEN %(first)s AND %(last)s
         WHERE m.preparation = %(preparation)s AND m.position BETWEEN %(first)s AND %(last)s) AS s
 GROUP BY 1, 2, 3, 4;

-- count_opted_out_since --
-- People who opted out since sending began and whose message was handed over. Walks smsflow_opt_outs_created_v1,
-- reads the messages of the preparation once.
SELECT count(DISTINCT x.phone)::bigint AS people
  FROM smsflow_opt_outs x
  JOIN smsflow_messages m ON m.preparation = %(preparation)s AND m.phone = x.phone
 WHERE x.created_at >= %(since)s
   AND EXISTS (SELECT FROM smsflow_marks k WHERE k.preparation = %(preparation)s AND k.position = m.position);

-- write_summary --
-- What was counted, and when it was begun. By its primary key.
INSERT INTO smsflow_summaries (preparation, counted_at, document)
VALUES (%(preparation)s, %(counted_at)s, %(document)s)
ON CONFLICT (preparation) DO UPDATE SET counted_at = excluded.counted_at, document = excluded.document
 WHERE smsflow_summaries.counted_at <= excluded.counted_at;

-- read_summary --
-- What was counted last, and how long ago. By its primary key.
SELECT counted_at, document, extract(epoch FROM clock_timestamp() - counted_at)::float8 AS age_s
  FROM smsflow_summaries WHERE preparation = %(preparation)s;

-- changed_deliveries --
-- Deliveries that ended in the last days, or are open, whose counters say more than their last sample.
-- Walks smsflow_deliveries_ended_v1 and smsflow_deliveries_open_v1, and the primary keys of chunks and samples.
SELECT d.id FROM (
       SELECT id, no, preparation FROM smsflow_deliveries WHERE ended_at > now() - interval '8 days'
        UNION ALL
       SELECT id, no, preparation FROM smsflow_deliveries WHERE state IN ('sending', 'paused')) AS d
 CROSS JOIN LATERAL (
       SELECT sum(accepted + failed + unknown + cancelled + expired + delivered + undelivered) AS all_of,
              sum(delivered + undelivered) AS reported
         FROM smsflow_chunks WHERE preparation = d.preparation) AS c
  LEFT JOIN LATERAL (
       SELECT accepted + failed + unknown + cancelled + expired + delivered + undelivered AS all_of,
              delivered + undelivered AS reported
         FROM smsflow_samples WHERE preparation = d.preparation ORDER BY at DESC LIMIT 1) AS s ON true
 WHERE c.all_of > 0 AND (s.all_of IS DISTINCT FROM c.all_of OR s.reported IS DISTINCT FROM c.reported)
 ORDER BY d.no;
