-- message_page --
-- Messages of one preparation in the order of their positions, with their states.
-- Walks the primary keys of messages, marks, outcomes and receipts of the preparation; the limit bounds it.
SELECT position, recipient_id, phone, parts, state, code, gateway_ref, changed_at FROM smsflow_message_states
 WHERE preparation = %(preparation)s AND position > %(after)s
 ORDER BY position LIMIT %(limit)s;

-- message_page_in_state --
-- The same of one state: only chunks whose counters say that they may hold such messages are read.
-- Walks the primary key of smsflow_chunks, and those of the messages of each such chunk in turn.
SELECT s.position, s.recipient_id, s.phone, s.parts, s.state, s.code, s.gateway_ref, s.changed_at
  FROM (SELECT first_position, last_position FROM smsflow_chunks
         WHERE preparation = %(preparation)s AND last_position > %(after)s
           AND CASE %(state)s::text
                    WHEN 'accepted' THEN accepted > delivered + undelivered
                    WHEN 'delivered' THEN delivered > 0
                    WHEN 'undelivered' THEN undelivered > 0
                    WHEN 'failed' THEN failed > 0
                    WHEN 'unknown' THEN unknown > 0
                    WHEN 'cancelled' THEN cancelled > 0
                    WHEN 'expired' THEN expired > 0
                    WHEN 'prepared' THEN next_position <= last_position
                    WHEN 'sending' THEN next_position - first_position > accepted + failed + unknown + cancelled + expired
                    ELSE true END
         ORDER BY chunk) AS c
 CROSS JOIN LATERAL (
       SELECT * FROM smsflow_message_states m
        WHERE m.preparation = %(preparation)s AND m.position BETWEEN c.first_position AND c.last_position
          AND m.position > %(after)s AND m.state = %(state)s
        ORDER BY m.position) AS s
 LIMIT %(limit)s;

-- message_page_of_outcome --
-- The same of a state that is an outcome: found among the outcomes of those chunks before the rest is looked up.
-- Walks the primary keys of smsflow_chunks, of the preparation's outcomes, and then those of the messages found.
-- OFFSET 0 keeps the look-up last: else a planner that expects many to be found may walk all messages first.
SELECT s.position, s.recipient_id, s.phone, s.parts, s.state, s.code, s.gateway_ref, s.changed_at
  FROM (SELECT first_position, last_position FROM smsflow_chunks
         WHERE preparation = %(preparation)s AND last_position > %(after)s
           AND CASE %(state)s::text
                    WHEN 'failed' THEN failed WHEN 'unknown' THEN unknown
                    WHEN 'cancelled' THEN cancelled ELSE expired END > 0
         ORDER BY chunk) AS c
 CROSS JOIN LATERAL (
       SELECT DISTINCT o.position FROM smsflow_outcomes o
        WHERE o.preparation = %(preparation)s AND o.position BETWEEN c.first_position AND c.last_position
          AND o.position > %(after)s AND o.kind = %(state)s
        ORDER BY o.position) AS found
 CROSS JOIN LATERAL (
       SELECT * FROM smsflow_message_states m
        WHERE m.preparation = %(preparation)s AND m.position = found.position AND m.state = %(state)s
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
