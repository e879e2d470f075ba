-- read_circuit --
-- How the circuit of one gateway stands. left_s: how long nothing may be tried yet. By its primary key.
SELECT failures, code, changed_at, open_until IS NOT NULL AS is_open,
       coalesce(extract(epoch FROM open_until - clock_timestamp()), 0)::float8 AS left_s
  FROM smsflow_circuits WHERE gateway = %(gateway)s;

-- open_circuit --
-- Open it, unless somebody else has; whoever has the probe opens it for longer. By its primary key.
INSERT INTO smsflow_circuits AS c (gateway, open_until, failures, code, changed_at)
VALUES (%(gateway)s, clock_timestamp() + %(period_s)s * interval '1 second', 1, %(code)s, clock_timestamp())
ON CONFLICT (gateway) DO UPDATE
   SET open_until = excluded.open_until, code = excluded.code,
       failures = CASE WHEN c.open_until IS NULL THEN 1 ELSE c.failures + 1 END,
       changed_at = CASE WHEN c.open_until IS NULL THEN excluded.changed_at ELSE c.changed_at END
 WHERE c.open_until IS NULL OR %(is_probe)s;

-- close_circuit --
-- The gateway answers. By its primary key.
UPDATE smsflow_circuits SET open_until = NULL, failures = 0, code = '', changed_at = clock_timestamp()
 WHERE gateway = %(gateway)s AND open_until IS NOT NULL;

-- take_probe --
-- Of all workers one may try a message; the others wait for what becomes of it. By its primary key.
UPDATE smsflow_circuits SET open_until = clock_timestamp() + %(probe_s)s * interval '1 second'
 WHERE gateway = %(gateway)s AND open_until <= clock_timestamp()
RETURNING failures;

-- lock_circuit_line --
-- One worker of a delivery at a time says that a circuit changed. Until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('smsflow circuit'), (%(delivery_no)s %% 2147483647)::int);

-- circuit_told --
-- Whether the log of a delivery has the line already. Walks smsflow_log_delivery_v1.
SELECT no FROM smsflow_log
 WHERE delivery_no = %(delivery_no)s AND event = %(event)s
   AND facts ->> 'gateway' = %(gateway)s AND facts ->> 'at' = %(at)s;
