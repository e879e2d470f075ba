-- contact_preparations --
-- Preparations whose texts count for a pressure rule: those that may have left in the window, and those
-- that are still planned by deliveries that go before ours. Reads smsflow_deliveries once (a row per
-- delivery, no messages) and walks the primary key of smsflow_preparations.
SELECT d.preparation, d.state IN ('sending', 'paused', 'finished', 'stopped') AS is_begun,
       d.state IN ('ready', 'approved', 'sending', 'paused')
       AND coalesce((d.settings ->> 'weight')::integer, %(default_weight)s) >= %(weight)s AS is_planned
  FROM smsflow_deliveries d JOIN smsflow_preparations p ON p.no = d.preparation
 WHERE d.kind = 'campaign' AND NOT d.dry_run AND d.no <> %(delivery_no)s
   AND p.published_at IS NOT NULL AND p.dropped_at IS NULL
   AND (d.state IN ('ready', 'approved', 'sending', 'paused')
        OR d.state IN ('finished', 'stopped')
           -- A sender may notice a moment later that it was stopped.
           AND coalesce(d.ended_at, 'infinity') >= %(since)s::timestamptz - interval '1 minute')
   AND (cardinality(%(classes)s::text[]) = 0
        OR coalesce(d.template #>> '{settings,class}', %(default_class)s) = ANY(%(classes)s::text[]))
 ORDER BY d.preparation;

-- packed_contacts --
-- Texts had and planned by number: eight bytes a number and four a count, in sixteen pieces. A text was
-- had if it was handed over in the window and the gateway did not refuse it for certain, or if a receipt
-- says that it left. Planned are those nobody has handed over yet, and those that go again.
-- Costs one pass over the marks, outcomes and messages of the preparations named, joined by their
-- primary keys; as these are constants for the planner, no other partition is looked at or locked.
SELECT string_agg(int8send(phone), '') AS phones, string_agg(int4send(texts), '') AS counts
  FROM (SELECT phone, count(*)::integer AS texts FROM (
        SELECT m.phone FROM smsflow_marks k
          JOIN smsflow_messages m ON m.preparation = k.preparation AND m.position = k.position
          LEFT JOIN smsflow_outcomes o
                 ON o.preparation = k.preparation AND o.position = k.position AND o.attempt = k.attempt
                AND o.preparation = ANY(%(begun)s::bigint[])
                AND o.kind IN ('failed', 'not_sent', 'cancelled', 'expired')
         WHERE k.preparation = ANY(%(begun)s::bigint[]) AND m.preparation = ANY(%(begun)s::bigint[])
           AND k.marked_at >= %(since)s::timestamptz
           AND (o.position IS NULL
                OR EXISTS (SELECT FROM smsflow_receipts r
                            WHERE r.preparation = ANY(%(begun)s::bigint[])
                              AND r.preparation = k.preparation AND r.position = k.position)
                   AND NOT EXISTS (SELECT FROM smsflow_marks later
                                    WHERE later.preparation = ANY(%(begun)s::bigint[])
                                      AND later.preparation = k.preparation AND later.position = k.position
                                      AND later.attempt > k.attempt))
         UNION ALL
        SELECT m.phone FROM smsflow_messages m WHERE m.preparation = ANY(%(waiting)s::bigint[])
         UNION ALL
        SELECT m.phone FROM smsflow_chunks c
          JOIN smsflow_messages m ON m.preparation = c.preparation
                                 AND m.position BETWEEN c.next_position AND c.last_position
         WHERE c.preparation = ANY(%(going)s::bigint[]) AND m.preparation = ANY(%(going)s::bigint[])
           AND c.next_position <= c.last_position
         UNION ALL
        SELECT m.phone FROM smsflow_outcomes o
          JOIN smsflow_messages m ON m.preparation = o.preparation AND m.position = o.position
         WHERE o.preparation = ANY(%(going)s::bigint[]) AND m.preparation = ANY(%(going)s::bigint[])
           AND o.kind = 'not_sent'
           AND NOT EXISTS (SELECT FROM smsflow_marks k
                            WHERE k.preparation = ANY(%(going)s::bigint[]) AND k.preparation = o.preparation
                              AND k.position = o.position AND k.attempt > o.attempt)
           AND NOT EXISTS (SELECT FROM smsflow_outcomes later
                            WHERE later.preparation = ANY(%(going)s::bigint[])
                              AND later.preparation = o.preparation AND later.position = o.position
                              AND later.attempt > o.attempt)
           AND NOT EXISTS (SELECT FROM smsflow_receipts r
                            WHERE r.preparation = ANY(%(going)s::bigint[])
                              AND r.preparation = o.preparation AND r.position = o.position)
        ) AS texts GROUP BY phone HAVING count(*) >= %(least)s) AS counted
 GROUP BY phone %% 16;
