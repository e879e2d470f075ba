-- remove_quarantined --
-- Let numbers get texts again, with their count of errors back at none; in order, so that two writers cannot
-- deadlock. Walks the primary key (phone).
DELETE FROM smsflow_quarantine
 WHERE phone IN (SELECT phone FROM smsflow_quarantine
                  WHERE phone = ANY(%(phones)s::bigint[]) AND quarantined_at IS NOT NULL ORDER BY phone FOR UPDATE);

-- age_quarantine --
-- Drop counts that are forgotten, and numbers that failures brought and that have been in for long enough
-- (null: for ever). Rows that somebody writes to are left to the next time. Counts walk
-- smsflow_quarantine_counting_v1; where there is an end to it, the whole table is read.
DELETE FROM smsflow_quarantine
 WHERE phone IN (SELECT phone FROM smsflow_quarantine
                  WHERE (quarantined_at IS NULL AND last_error_at < %(counted_before)s::timestamptz)
                     OR (quarantined_at < %(quarantined_before)s::timestamptz AND source = ANY(%(sources)s::text[]))
                  ORDER BY phone LIMIT %(limit)s FOR UPDATE SKIP LOCKED);

-- next_quarantined --
-- A page of the quarantine by number, behind a given one. Walks the primary key (phone).
SELECT phone, reason, source, errors, last_error_at, quarantined_at FROM smsflow_quarantine
 WHERE phone > %(phone)s::bigint AND quarantined_at IS NOT NULL ORDER BY phone LIMIT %(limit)s;

-- count_quarantined --
-- How many numbers are in quarantine. Reads the whole table: for people, not for the hot path.
SELECT count(*)::bigint AS phones FROM smsflow_quarantine WHERE quarantined_at IS NOT NULL;

-- packed_quarantine --
-- The numbers in quarantine, eight bytes each: a page behind a given one, in no order within it.
-- Walks the primary key (phone).
SELECT string_agg(int8send(phone), '') AS phones, max(phone) AS last
  FROM (SELECT phone FROM smsflow_quarantine
         WHERE phone > %(after)s::bigint AND quarantined_at IS NOT NULL ORDER BY phone LIMIT %(limit)s) AS page;
