-- lock_day --
-- The row of today (UTC, by the server's clock), held until the transaction ends, and how long it is today.
-- By its primary key.
INSERT INTO smsflow_daily AS d (day) VALUES ((clock_timestamp() AT TIME ZONE 'UTC')::date)
ON CONFLICT (day) DO UPDATE SET parts = d.parts
RETURNING day, parts,
          extract(epoch FROM (day + 1)::timestamp AT TIME ZONE 'UTC' - clock_timestamp())::float8 AS left_s;

-- add_parts --
-- Set parts aside, or give them back. By its primary key.
UPDATE smsflow_daily SET parts = parts + %(parts)s WHERE day = %(day)s;

-- parts_of_today --
-- What senders have set aside today. By its primary key.
SELECT parts FROM smsflow_daily WHERE day = (clock_timestamp() AT TIME ZONE 'UTC')::date;
