-- ensure_buckets --
-- Buckets that are not there. The table is empty after a crash of the server: a new bucket starts late enough
-- that what was granted before the crash has left. In the order of their names, as they are locked.
INSERT INTO smsflow_pace (bucket, next_at)
SELECT bucket, clock_timestamp() + start_s * interval '1 second'
  FROM unnest(%(buckets)s::text[], %(starts_s)s::float8[]) AS t (bucket, start_s)
 ORDER BY bucket COLLATE "C"
ON CONFLICT DO NOTHING;

-- lock_buckets --
-- Hold these buckets until the transaction ends, always in the same order. The clock is read behind the
-- locks. Walks the primary key.
SELECT b.bucket, extract(epoch FROM b.next_at)::float8 AS next_at, b.factor,
       coalesce(extract(epoch FROM b.throttled_at)::float8, 0) AS throttled_at,
       coalesce(extract(epoch FROM b.closed_until)::float8, 0) AS closed_until,
       extract(epoch FROM b.seen_at)::float8 AS seen_at, b.memory,
       extract(epoch FROM clock_timestamp())::float8 AS clock
  FROM (SELECT * FROM smsflow_pace WHERE bucket = ANY(%(buckets)s)
         ORDER BY bucket COLLATE "C" FOR UPDATE) AS b;

-- read_clock --
-- The one clock that all workers share, in seconds since 1970.
SELECT extract(epoch FROM clock_timestamp())::float8 AS clock;

-- write_buckets --
-- What was granted, and to whom. Walks the primary key.
UPDATE smsflow_pace p
   SET next_at = to_timestamp(r.next_at), factor = r.factor,
       throttled_at = to_timestamp(nullif(r.throttled_at, 0)),
       closed_until = to_timestamp(nullif(r.closed_until, 0)),
       seen_at = to_timestamp(r.seen_at), memory = r.memory
  FROM jsonb_to_recordset(%(rows)s)
    AS r (bucket text, next_at float8, factor float8, throttled_at float8, closed_until float8,
          seen_at float8, memory jsonb)
 WHERE p.bucket = r.bucket;

-- forget_buckets --
-- Buckets that nobody has used for a day. Reads the table, which holds a few rows.
DELETE FROM smsflow_pace
 WHERE seen_at < clock_timestamp() - interval '1 day'
   AND next_at < clock_timestamp() - interval '1 day'
   AND coalesce(closed_until, '-infinity') < clock_timestamp() - interval '1 day';
