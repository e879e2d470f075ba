-- gateway_circuits --
-- The circuits of some gateways. By the primary key.
SELECT gateway, open_until IS NOT NULL AS is_open, failures, code, changed_at FROM smsflow_circuits
 WHERE gateway = ANY(%(gateways)s::text[]);

-- gateway_buckets --
-- What was granted of late for each gateway, without a lock. By the primary key.
SELECT substr(bucket, 9) AS gateway, factor, memory, coalesce(closed_until > clock_timestamp(), false) AS is_closed,
       extract(epoch FROM clock_timestamp())::float8 AS clock
  FROM smsflow_pace WHERE bucket = ANY(%(buckets)s::text[]);

-- gateway_deliveries --
-- Deliveries that are being sent, and those that ended within the last hour, the newest first; proofs and single
-- texts are among them. The first walk smsflow_deliveries_open_v1, the others the newest rows of
-- smsflow_deliveries_created_v1.
SELECT no, id, kind, label, dag_id, gateway, state, preparation, sending_at
  FROM (SELECT * FROM smsflow_deliveries WHERE state IN ('sending', 'paused')
         UNION ALL
        SELECT * FROM (SELECT * FROM smsflow_deliveries ORDER BY created_at DESC, no DESC LIMIT 200) AS newest
         WHERE ended_at > clock_timestamp() - interval '1 hour' AND state NOT IN ('sending', 'paused')) AS d
 WHERE gateway = ANY(%(gateways)s::text[]) AND NOT dry_run AND sending_at IS NOT NULL
 ORDER BY no DESC LIMIT 200;

-- outcomes_by_preparation --
-- The counters of some preparations. Walks the primary key (preparation, chunk).
SELECT preparation, sum(accepted)::bigint AS accepted, sum(failed)::bigint AS failed, sum(unknown)::bigint AS unknown,
       sum(delivered + undelivered)::bigint AS receipts
  FROM smsflow_chunks WHERE preparation = ANY(%(preparations)s::bigint[]) GROUP BY preparation;

-- latest_receipt --
-- When the latest receipt came for one preparation, among its last messages. Walks the primary key
-- (preparation, position) from its end.
SELECT max(received_at) AS at FROM (SELECT received_at FROM smsflow_receipts WHERE preparation = %(preparation)s
                                     ORDER BY position DESC LIMIT 500) AS r;

-- latest_preparations --
-- The newest delivery of each of some gateways that began to send, among the newest deliveries: for the latest
-- receipt. Walks smsflow_deliveries_created_v1.
SELECT DISTINCT ON (gateway) gateway, preparation
  FROM (SELECT gateway, preparation, no, sending_at, dry_run FROM smsflow_deliveries
         ORDER BY created_at DESC, no DESC LIMIT 200) AS newest
 WHERE gateway = ANY(%(gateways)s::text[]) AND sending_at IS NOT NULL AND NOT dry_run AND preparation IS NOT NULL
 ORDER BY gateway, no DESC;
