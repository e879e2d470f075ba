-- new_preparation --
-- A number for one try at preparing a delivery.
INSERT INTO smsflow_preparations (delivery_no) SELECT no FROM smsflow_deliveries WHERE id = %(id)s RETURNING no;

-- begin_preparation --
-- Start a preparation under a new number. Whoever prepares under an older number can no longer publish.
UPDATE smsflow_deliveries
   SET state = 'preparing', preparation = %(preparation)s, moved_at = now(), moved_by = %(actor)s,
       label = %(label)s, gateway = %(gateway)s, dry_run = %(dry_run)s,
       template = %(template)s, settings = %(settings)s, audience = %(audience)s, validity_s = %(validity_s)s,
       fingerprint = NULL, figures = '{}', targeted = 0, excluded = 0, to_deliver = 0, parts = 0,
       prepared_at = NULL, expires_at = NULL,
       authors = CASE WHEN %(actor)s LIKE 'dag:%%' OR authors ? %(actor)s THEN authors
                      ELSE authors || to_jsonb(%(actor)s::text) END
 WHERE id = %(id)s AND state NOT IN ('sending', 'paused', 'finished', 'stopped')
RETURNING no, preparation;

-- hold_preparation --
-- Lock the delivery if this preparation is still the newest one.
SELECT no FROM smsflow_deliveries
 WHERE no = %(delivery_no)s AND preparation = %(preparation)s AND state = 'preparing' FOR UPDATE;

-- publish --
-- The preparation is complete: show it for review.
UPDATE smsflow_deliveries
   SET state = 'ready', moved_at = now(), prepared_at = now(), fingerprint = %(fingerprint)s,
       figures = %(figures)s, targeted = %(targeted)s, excluded = %(excluded)s,
       to_deliver = %(to_deliver)s, parts = %(parts)s
 WHERE no = %(delivery_no)s;

-- fail_preparation --
-- The preparation found an error: nothing to review.
UPDATE smsflow_deliveries
   SET state = 'preparation_failed', moved_at = now(), figures = %(figures)s
 WHERE no = %(delivery_no)s AND preparation = %(preparation)s AND state = 'preparing' RETURNING no;

-- fill_chunks --
-- One row per thousand messages: counters and the place where sending stands.
INSERT INTO smsflow_chunks (preparation, chunk, first_position, last_position, next_position)
SELECT %(preparation)s, n, n * %(size)s + 1, least((n + 1) * %(size)s, %(to_deliver)s::integer), n * %(size)s + 1
  FROM generate_series(0, (%(to_deliver)s::integer - 1) / %(size)s) AS n WHERE %(to_deliver)s::integer > 0;

-- mark_published --
-- The rows of this preparation can be read now.
UPDATE smsflow_preparations SET published_at = now() WHERE no = %(preparation)s;

-- replaced_preparations --
-- Preparations that another one has replaced and whose rows are still there: of one delivery, or of all.
SELECT p.no FROM smsflow_preparations p JOIN smsflow_deliveries d ON d.no = p.delivery_no
 WHERE (%(id)s::text IS NULL OR d.id = %(id)s) AND p.no < d.preparation AND p.dropped_at IS NULL ORDER BY p.no;

-- mark_dropped --
-- The rows of this preparation are gone.
UPDATE smsflow_preparations SET dropped_at = now() WHERE no = %(preparation)s;

-- count_opted_out --
-- Whether an opt-out list is there at all, for the log.
SELECT count(*)::bigint AS people FROM smsflow_opt_outs WHERE scope = ANY(%(scopes)s);

-- write_progress --
-- Say how far a preparation is, while it is the current one. Walks both primary keys.
UPDATE smsflow_preparations SET progress = %(progress)s, progressed_at = now()
 WHERE no = %(preparation)s
   AND EXISTS (SELECT FROM smsflow_deliveries
                WHERE no = %(delivery_no)s AND preparation = %(preparation)s AND state = 'preparing')
RETURNING no;

-- ensure_zones --
-- Number sets of time zones that have none yet. Walks the unique index on names.
INSERT INTO smsflow_zones (names)
SELECT wanted FROM unnest(%(names)s::text[]) AS wanted
 WHERE NOT EXISTS (SELECT FROM smsflow_zones WHERE names = wanted)
    ON CONFLICT (names) DO NOTHING;

-- find_zones --
-- Numbers of sets of time zones. Walks the unique index on names.
SELECT no, names FROM smsflow_zones WHERE names = ANY(%(names)s);
