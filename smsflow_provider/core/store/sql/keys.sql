-- live_keys --
-- The live keys of one purpose: the one that signs, then the others, newest first. Reads the whole
-- table, which has a handful of rows.
SELECT secret FROM smsflow_keys WHERE purpose = %(purpose)s::text AND retired_at IS NULL
 ORDER BY signs_from <= %(now)s::timestamptz DESC, no DESC;

-- list_keys --
-- All keys without their secrets, the oldest first. Reads the whole table.
SELECT no, purpose, created_at, signs_from, retired_at,
       retired_at IS NULL AND no IS NOT DISTINCT FROM first_value(no) OVER (
           PARTITION BY purpose ORDER BY retired_at IS NULL DESC, signs_from <= %(now)s::timestamptz DESC, no DESC
       ) AS is_signing
  FROM smsflow_keys ORDER BY no;

-- make_key --
-- A key of 32 random bytes. The first of its purpose signs at once. Reads the whole table.
INSERT INTO smsflow_keys (purpose, secret, created_at, signs_from)
SELECT %(purpose)s::text, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), %(now)s::timestamptz,
       CASE WHEN EXISTS (SELECT FROM smsflow_keys WHERE purpose = %(purpose)s::text AND retired_at IS NULL)
            THEN %(now)s::timestamptz + %(signs_after)s::interval ELSE %(now)s::timestamptz END;

-- retire_keys --
-- Retire keys for which nothing can come back: another one has signed for long enough, and no delivery
-- that a sender may have begun with the key can still get receipts. A sender reads its keys shortly before
-- it begins, and keeps them until it ends: hence the day. Reads all deliveries that ever began, once a key.
UPDATE smsflow_keys k SET retired_at = %(now)s::timestamptz
  FROM (SELECT old.no, min(later.signs_from) AS replaced_at
          FROM smsflow_keys old
          JOIN smsflow_keys later ON later.purpose = old.purpose AND later.no > old.no AND later.retired_at IS NULL
         WHERE old.purpose = %(purpose)s::text AND old.retired_at IS NULL
         GROUP BY old.no) AS replaced
 WHERE k.no = replaced.no AND replaced.replaced_at + %(older_than)s::interval <= %(now)s::timestamptz
   AND NOT EXISTS (
       SELECT FROM smsflow_deliveries d
        WHERE d.sending_at < replaced.replaced_at + interval '1 day'
          AND (d.ended_at IS NULL OR d.state IN ('sending', 'paused')
               OR greatest(d.ended_at + coalesce(d.validity_s, 0) * interval '1 second', d.expires_at)
                  + %(older_than)s::interval > %(now)s::timestamptz));
