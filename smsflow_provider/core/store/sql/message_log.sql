-- message_page --
-- Messages of one preparation in the order of their positions, with their states.
-- Walks the primary keys of messages, marks, outcomes and receipts of the preparation; the limit bounds it.
SELECT position, recipient_id, phone, parts, state, code, gateway_ref, changed_at FROM smsflow_message_states
 WHERE preparation = %(preparation)s AND position > %(after)s
 ORDER BY position LIMIT %(limit)s;

-- plan_quickly --
-- Compile nothing, in this transaction only: it would take longer than what it is for. And no helpers: they would
-- bring chunks in any order, and a page must begin with the first. Walks nothing.
SELECT set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true);

-- message_page_in_states --
-- The same of some states. Chunks whose counters say that they hold no such message are passed over. In each of the
-- others positions are found by what makes a state: an outcome, a receipt, or that there is none. They may be too
-- many, never too few: what each message is, the last look-up says, one by one until the page is full.
-- Walks the primary keys of smsflow_chunks, and in each chunk those of the preparation's outcomes, receipts, marks and
-- messages, as far as the states need them. OFFSET 0 keeps the look-up last: else a planner that expects many to be
-- found may walk all messages first.
SELECT s.position, s.recipient_id, s.phone, s.parts, s.state, s.code, s.gateway_ref, s.changed_at
  FROM (SELECT greatest(first_position - 1, %(after)s) AS before, last_position AS last FROM smsflow_chunks
         WHERE preparation = %(preparation)s AND last_position > %(after)s
           AND (   'accepted' = ANY(%(states)s) AND accepted > delivered + undelivered
                OR 'delivered' = ANY(%(states)s) AND delivered > 0
                OR 'undelivered' = ANY(%(states)s) AND undelivered > 0
                OR 'failed' = ANY(%(states)s) AND failed > 0
                OR 'unknown' = ANY(%(states)s) AND unknown > 0
                OR 'cancelled' = ANY(%(states)s) AND cancelled > 0
                OR 'expired' = ANY(%(states)s) AND expired > 0
                OR accepted + failed + unknown + cancelled + expired <= last_position - first_position
                   AND (   'prepared' = ANY(%(states)s) AND next_position <= last_position
                        OR 'sending' = ANY(%(states)s) AND (next_position > first_position OR waiting > 0)))
         ORDER BY chunk) AS c
 CROSS JOIN LATERAL (
       SELECT position FROM smsflow_outcomes
        WHERE preparation = %(preparation)s AND position > c.before AND position <= c.last
          AND kind = ANY(%(states)s) AND kind <> 'accepted'
        UNION
       SELECT position FROM smsflow_receipts
        WHERE preparation = %(preparation)s AND position > c.before AND position <= c.last
          AND kind = ANY(%(states)s) AND kind <> 'accepted'
        UNION
       SELECT o.position FROM smsflow_outcomes o
        WHERE 'accepted' = ANY(%(states)s) AND o.preparation = %(preparation)s
          AND o.position > c.before AND o.position <= c.last AND o.kind = 'accepted'
          AND NOT EXISTS (SELECT FROM smsflow_receipts r
                           WHERE r.preparation = %(preparation)s AND r.position > c.before AND r.position <= c.last
                             AND r.position = o.position AND r.kind IN ('delivered', 'undelivered'))
        UNION
       SELECT o.position FROM smsflow_outcomes o
        WHERE 'sending' = ANY(%(states)s) AND o.preparation = %(preparation)s
          AND o.position > c.before AND o.position <= c.last AND o.kind = 'not_sent'
        UNION
       SELECT k.position FROM smsflow_marks k
        WHERE 'sending' = ANY(%(states)s) AND k.preparation = %(preparation)s
          AND k.position > c.before AND k.position <= c.last
          AND NOT EXISTS (SELECT FROM smsflow_outcomes o
                           WHERE o.preparation = %(preparation)s AND o.position > c.before AND o.position <= c.last
                             AND o.position = k.position AND o.attempt >= k.attempt)
        UNION
       SELECT m.position FROM smsflow_messages m
        WHERE 'prepared' = ANY(%(states)s) AND m.preparation = %(preparation)s
          AND m.position > c.before AND m.position <= c.last
          AND NOT EXISTS (SELECT FROM smsflow_marks k
                           WHERE k.preparation = %(preparation)s AND k.position > c.before AND k.position <= c.last
                             AND k.position = m.position)
        ORDER BY position) AS found
 CROSS JOIN LATERAL (
       SELECT * FROM smsflow_message_states m
        WHERE m.preparation = %(preparation)s AND m.position = found.position AND m.state = ANY(%(states)s)
       OFFSET 0) AS s
 LIMIT %(limit)s;

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
