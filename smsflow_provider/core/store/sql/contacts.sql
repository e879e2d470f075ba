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
-- Texts had and planned by number: eight bytes a number and four a count, in sixteen pieces.
-- Costs one pass over messages, marks and outcomes of the preparations named, joined partition by
-- partition; as their numbers are constants for the planner, no other one is looked at or locked.
SELECT string_agg(int8send(phone), '') AS phones, string_agg(int4send(texts), '') AS counts
  FROM (SELECT phone, count(*)::integer AS texts FROM (
        -- Handed over in the window, and not refused for certain.
        SELECT m.phone FROM smsflow_marks k
          JOIN smsflow_messages m ON m.preparation = k.preparation AND m.position = k.position
         WHERE k.preparation = ANY(%(begun)s::bigint[]) AND m.preparation = ANY(%(begun)s::bigint[])
           AND k.marked_at >= %(since)s::timestamptz
           AND NOT EXISTS (SELECT FROM smsflow_outcomes o
                            WHERE o.preparation = ANY(%(begun)s::bigint[]) AND o.preparation = k.preparation
                              AND o.position = k.position AND o.attempt = k.attempt
                              AND o.kind IN ('failed', 'not_sent', 'cancelled', 'expired'))
         UNION ALL
        -- Refused, they say; but a receipt proves that the last one left.
        SELECT m.phone FROM smsflow_outcomes o
          JOIN smsflow_receipts r ON r.preparation = o.preparation AND r.position = o.position
          JOIN smsflow_marks k ON k.preparation = o.preparation AND k.position = o.position AND k.attempt = o.attempt
          JOIN smsflow_messages m ON m.preparation = o.preparation AND m.position = o.position
         WHERE o.preparation = ANY(%(begun)s::bigint[]) AND r.preparation = ANY(%(begun)s::bigint[])
           AND k.preparation = ANY(%(begun)s::bigint[]) AND m.preparation = ANY(%(begun)s::bigint[])
           AND o.kind IN ('failed', 'not_sent', 'cancelled', 'expired')
           AND k.marked_at >= %(since)s::timestamptz
           AND k.attempt = (SELECT max(last.attempt) FROM smsflow_marks last
                             WHERE last.preparation = ANY(%(begun)s::bigint[])
                               AND last.preparation = o.preparation AND last.position = o.position)
         UNION ALL
        -- Planned: nothing of the delivery has been handed over.
        SELECT phone FROM smsflow_messages WHERE preparation = ANY(%(waiting)s::bigint[])
         UNION ALL
        -- Planned: nobody has taken it yet.
        SELECT m.phone FROM smsflow_chunks c
          JOIN smsflow_messages m ON m.preparation = c.preparation AND (m.position - 1) / %(size)s = c.chunk
         WHERE c.preparation = ANY(%(going)s::bigint[]) AND m.preparation = ANY(%(going)s::bigint[])
           AND c.next_position <= c.last_position AND m.position >= c.next_position
         UNION ALL
        -- Planned: it certainly did not leave, and goes again.
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
