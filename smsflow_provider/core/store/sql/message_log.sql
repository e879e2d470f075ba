-- plan_quickly --
-- Compile nothing, in this transaction only: it would take longer than what it is for. And no helpers: they would
-- bring chunks in any order, and a page must begin with the first. Walks nothing.
SELECT set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true);

-- message_page --
-- Messages of one preparation in the order of their positions, with their states; of some states only, if any is named.
-- Then chunks whose counters say that they hold no such message are passed over. In each of the others positions are
-- found by what makes a state: an outcome, a receipt, or that there is none. They may be too many, never too few: what
-- each message is, the last look-up says, one by one until the page is full.
-- Walks the primary keys of smsflow_chunks, and in each chunk those of the preparation's messages, marks, outcomes and
-- receipts, as far as the states need them. OFFSET 0 keeps the look-up last: else a planner that expects many may walk
-- all messages, or all receipts, first. It says what smsflow_message_states says, and names the preparation for each
-- table: through the view the server plans, and locks, the partitions of every other preparation as well.
SELECT s.position, s.recipient_id, s.phone, s.parts, s.state, s.code, s.gateway_ref, s.changed_at
  FROM (SELECT * FROM (
               SELECT chunk, greatest(first_position - 1, %(after)s) AS before, last_position AS last,
                      %(states)s::text[] = '{}' AS is_any,
                      'accepted' = ANY(%(states)s) AND accepted > delivered + undelivered AS is_accepted,
                      'delivered' = ANY(%(states)s) AND delivered > 0
                       OR 'undelivered' = ANY(%(states)s) AND undelivered > 0 AS is_reported,
                      'failed' = ANY(%(states)s) AND failed > 0 OR 'unknown' = ANY(%(states)s) AND unknown > 0
                       OR 'cancelled' = ANY(%(states)s) AND cancelled > 0
                       OR 'expired' = ANY(%(states)s) AND expired > 0 AS is_ended,
                      'sending' = ANY(%(states)s) AND (next_position > first_position OR waiting > 0)
                       AND accepted + failed + unknown + cancelled + expired <= last_position - first_position AS is_sending,
                      'prepared' = ANY(%(states)s) AND next_position <= last_position
                       AND accepted + failed + unknown + cancelled + expired <= last_position - first_position AS is_prepared
                 FROM smsflow_chunks WHERE preparation = %(preparation)s AND last_position > %(after)s) AS each
         WHERE is_any OR is_accepted OR is_reported OR is_ended OR is_sending OR is_prepared
         ORDER BY chunk) AS c
 CROSS JOIN LATERAL (
       SELECT position FROM smsflow_messages
        WHERE c.is_any AND preparation = %(preparation)s AND position > c.before AND position <= c.last
        UNION
       SELECT position FROM smsflow_outcomes
        WHERE c.is_ended AND preparation = %(preparation)s AND position > c.before AND position <= c.last
          AND kind = ANY(%(states)s) AND kind <> 'accepted'
        UNION
       SELECT position FROM smsflow_receipts
        WHERE c.is_reported AND preparation = %(preparation)s AND position > c.before AND position <= c.last
          AND kind = ANY(%(states)s) AND kind <> 'accepted'
        UNION
       SELECT o.position FROM smsflow_outcomes o
        WHERE c.is_accepted AND o.preparation = %(preparation)s AND o.position > c.before AND o.position <= c.last
          AND o.kind = 'accepted'
          AND NOT EXISTS (SELECT FROM smsflow_receipts r
                           WHERE r.preparation = %(preparation)s AND r.position > c.before AND r.position <= c.last
                             AND r.position = o.position AND r.kind IN ('delivered', 'undelivered'))
        UNION
       SELECT o.position FROM smsflow_outcomes o
        WHERE c.is_sending AND o.preparation = %(preparation)s AND o.position > c.before AND o.position <= c.last
          AND o.kind = 'not_sent'
        UNION
       SELECT k.position FROM smsflow_marks k
        WHERE c.is_sending AND k.preparation = %(preparation)s AND k.position > c.before AND k.position <= c.last
          AND NOT EXISTS (SELECT FROM smsflow_outcomes o
                           WHERE o.preparation = %(preparation)s AND o.position > c.before AND o.position <= c.last
                             AND o.position = k.position AND o.attempt >= k.attempt)
        UNION
       SELECT m.position FROM smsflow_messages m
        WHERE c.is_prepared AND m.preparation = %(preparation)s AND m.position > c.before AND m.position <= c.last
          AND NOT EXISTS (SELECT FROM smsflow_marks k
                           WHERE k.preparation = %(preparation)s AND k.position > c.before AND k.position <= c.last
                             AND k.position = m.position)
        ORDER BY position) AS found
 CROSS JOIN LATERAL (
       SELECT m.position, m.recipient_id, m.phone, m.parts,
              CASE WHEN r.kind IN ('delivered', 'undelivered') THEN r.kind
                   WHEN o.kind = 'not_sent' THEN 'sending'
                   WHEN o.kind IS NOT NULL AND (k.attempt IS NULL OR o.attempt >= k.attempt) THEN o.kind
                   WHEN k.attempt IS NOT NULL THEN 'sending'
                   ELSE 'prepared' END AS state,
              coalesce(nullif(r.code, ''), o.code, '') AS code,
              coalesce(nullif(r.gateway_ref, ''), o.gateway_ref, '') AS gateway_ref,
              coalesce(r.received_at, o.settled_at, k.marked_at) AS changed_at
         FROM smsflow_messages m
         LEFT JOIN LATERAL (SELECT attempt, marked_at FROM smsflow_marks
                             WHERE preparation = %(preparation)s AND position = found.position
                             ORDER BY attempt DESC LIMIT 1) k ON true
         LEFT JOIN LATERAL (SELECT attempt, kind, code, gateway_ref, settled_at FROM smsflow_outcomes
                             WHERE preparation = %(preparation)s AND position = found.position
                             ORDER BY attempt DESC LIMIT 1) o ON true
         LEFT JOIN smsflow_receipts r ON r.preparation = %(preparation)s AND r.position = found.position
        WHERE m.preparation = %(preparation)s AND m.position = found.position
       OFFSET 0) AS s
 WHERE %(states)s::text[] = '{}' OR s.state = ANY(%(states)s)
 LIMIT %(limit)s;

-- positions_of_person --
-- Where messages to a number, or to a recipient id, stand in one preparation. Reads the preparation's messages.
SELECT position FROM smsflow_messages
 WHERE preparation = %(preparation)s AND (phone = %(phone)s::bigint OR recipient_id = %(recipient_id)s::text)
 ORDER BY position;

-- message_story --
-- What happened to one message, in order. Walks the primary keys of its partitions.
SELECT * FROM (
       SELECT marked_at AS at, 1 AS step, 'marked' AS event, ''::text AS kind, ''::text AS code, ''::text AS gateway_ref,
              attempt::int AS attempt
         FROM smsflow_marks WHERE preparation = %(preparation)s AND position = %(position)s
        UNION ALL
       SELECT settled_at, 2, 'outcome', kind, code, gateway_ref, attempt::int
         FROM smsflow_outcomes WHERE preparation = %(preparation)s AND position = %(position)s
        UNION ALL
       SELECT received_at, 3, 'receipt', kind, code, gateway_ref, NULL
         FROM smsflow_receipts WHERE preparation = %(preparation)s AND position = %(position)s) AS each
 ORDER BY attempt NULLS LAST, step, at;
