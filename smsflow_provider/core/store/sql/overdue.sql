-- overdue_deliveries --
-- Deliveries, or proofs, that were approved or begun and did not end while they were valid. One that nobody began
-- is overdue when its approval has run out, or its validity has since then (a day at the least, but for a proof).
-- With an id it looks at that one alone. Reads every delivery: for maintenance.
SELECT d.id FROM smsflow_deliveries d
 WHERE (d.kind = 'proof') = %(is_proof)s AND (%(id)s::text IS NULL OR d.id = %(id)s)
   AND (d.state IN ('sending', 'paused') AND d.expires_at <= now()
        OR d.state = 'approved'
           AND (d.moved_at + d.validity_s * interval '1 second' <= now()
                AND (d.kind = 'proof' OR d.moved_at + interval '1 day' <= now())
                OR EXISTS (SELECT FROM smsflow_approvals a
                            WHERE a.delivery_no = d.no AND a.preparation = d.preparation AND a.expires_at <= now())))
 ORDER BY d.no;
