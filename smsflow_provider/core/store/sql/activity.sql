-- activity --
-- Who did what about a delivery, over all its preparations, newest first. Walks smsflow_log_delivery_v1, the
-- unique index of smsflow_approvals on the delivery, smsflow_audit_delivery_v1 and smsflow_deliveries_proof_v1.
-- An approval stands for the line of the log that says the same.
SELECT * FROM (
       SELECT l.logged_at AS at, 'log' AS source, l.no, l.event, coalesce(l.facts ->> 'by', '') AS actor,
              l.level, l.facts, l.preparation
         FROM smsflow_log l
        WHERE l.delivery_no = %(delivery_no)s
          AND NOT (l.event IN ('delivery_approved', 'delivery_rejected')
                   AND EXISTS (SELECT FROM smsflow_approvals a WHERE a.delivery_no = l.delivery_no
                                  AND a.preparation = l.preparation))
        UNION ALL
       SELECT a.decided_at, 'approval', a.no,
              CASE a.decision WHEN 'send' THEN 'delivery_approved' ELSE 'delivery_rejected' END,
              coalesce(nullif(a.decided_by_name, ''), a.decided_by), 'info',
              jsonb_build_object('comment', a.comment, 'via', a.via), a.preparation
         FROM smsflow_approvals a WHERE a.delivery_no = %(delivery_no)s
        UNION ALL
       SELECT u.at, 'audit', u.no, u.action, u.actor, 'info', u.facts, 0
         FROM smsflow_audit u WHERE u.delivery_no = %(delivery_no)s
        UNION ALL
       SELECT p.created_at, 'proof', p.no, 'proof_asked', p.created_by, 'info',
              jsonb_build_object('proof', p.proof_no), 0
         FROM smsflow_deliveries p WHERE p.proof_of = %(delivery_no)s
        UNION ALL
       SELECT d.created_at, 'delivery', d.no, 'created', d.created_by, 'info', '{}'::jsonb, 0
         FROM smsflow_deliveries d WHERE d.no = %(delivery_no)s
        UNION ALL
       SELECT d.sending_at, 'sending', d.no, 'sending_began', '', 'info', '{}'::jsonb, 0
         FROM smsflow_deliveries d WHERE d.no = %(delivery_no)s AND d.sending_at IS NOT NULL
        UNION ALL
       SELECT d.ended_at, 'ended', d.no, 'delivery_finished', '', 'info', '{}'::jsonb, 0
         FROM smsflow_deliveries d WHERE d.no = %(delivery_no)s AND d.state = 'finished') AS each
 WHERE %(at)s::timestamptz IS NULL OR (at, source, no) < (%(at)s, %(source)s, %(no)s)
 ORDER BY at DESC, source DESC, no DESC LIMIT %(limit)s;
