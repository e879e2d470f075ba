-- lock_budget --
-- Keep every other preparation away from this budget until the transaction ends. A name that shares
-- its hash with another waits for that one too, which harms nobody.
SELECT pg_advisory_xact_lock(hashtextextended('smsflow_budget:' || %(budget)s, 0));

-- held --
-- What a budget holds between two days, this preparation apart. A reservation holds only while its
-- preparation is the current one of its delivery, and the delivery may still send or has sent; of a
-- stopped one what was handed over. Walks smsflow_reservations_budget_v1.
SELECT coalesce(sum(CASE WHEN d.state = 'stopped' THEN coalesce(r.kept_parts, r.parts) ELSE r.parts END), 0)::bigint
           AS parts,
       coalesce(sum(CASE WHEN d.state = 'stopped' AND r.kept_parts IS NOT NULL THEN r.kept_cost ELSE r.cost END), 0)
           AS cost,
       coalesce(sum(CASE WHEN d.state = 'stopped' THEN coalesce(r.kept_parts, r.parts) ELSE r.parts END)
           FILTER (WHERE r.cost IS NULL), 0)::bigint AS unpriced_parts,
       coalesce(array_agg(DISTINCT r.currency) FILTER (WHERE r.cost IS NOT NULL), '{}') AS currencies
  FROM smsflow_reservations r
  JOIN smsflow_deliveries d ON d.no = r.delivery_no AND d.preparation = r.preparation
 WHERE r.budget = %(budget)s AND r.reserved_on BETWEEN %(first)s AND %(last)s
   AND r.preparation <> %(preparation)s
   AND d.state IN ('ready', 'approved', 'sending', 'paused', 'finished', 'stopped');

-- write_reservation --
-- Take parts and money of a budget for one preparation; said again, the last word counts.
INSERT INTO smsflow_reservations (preparation, delivery_no, budget, reserved_on, parts, cost, currency)
VALUES (%(preparation)s, %(delivery_no)s, %(budget)s, %(on)s, %(parts)s, %(cost)s, %(currency)s)
ON CONFLICT (preparation) DO UPDATE
   SET budget = excluded.budget, reserved_on = excluded.reserved_on, parts = excluded.parts,
       cost = excluded.cost, currency = excluded.currency, kept_parts = NULL, kept_cost = NULL;

-- settleable --
-- Whether this preparation was stopped with a reservation and all its messages are settled. Chunk
-- counters only: walks the primary keys of the four tables.
SELECT r.preparation FROM smsflow_reservations r
  JOIN smsflow_deliveries d ON d.no = r.delivery_no AND d.preparation = r.preparation
  JOIN smsflow_preparations p ON p.no = r.preparation
 WHERE r.preparation = %(preparation)s AND d.state = 'stopped' AND p.dropped_at IS NULL
   AND d.to_deliver = (SELECT coalesce(sum(accepted + failed + unknown + cancelled + expired), 0)
                         FROM smsflow_chunks WHERE preparation = %(preparation)s);

-- settle_stopped --
-- Keep what may be billed: each hand-over the gateway accepted, and each nobody knows of. Refused,
-- cancelled and expired messages cost nothing. The price of a part is the line of the estimate that
-- fits best, as in the preparation. Reads the outcomes and messages of one preparation.
WITH handed AS (
    SELECT m.region, lower(ltrim(btrim(m.sender), '+') COLLATE "C") AS sender, sum(m.parts)::bigint AS parts
      FROM smsflow_outcomes o
      JOIN smsflow_messages m ON m.preparation = o.preparation AND m.position = o.position
     WHERE o.preparation = %(preparation)s AND m.preparation = %(preparation)s
       AND o.kind IN ('accepted', 'unknown')
     GROUP BY 1, 2),
rates AS (
    SELECT x.country, x.sender, x.price
      FROM smsflow_deliveries d,
           jsonb_to_recordset(coalesce(d.figures -> 'cost' -> 'rates', '[]')) AS x (country text, sender text, price numeric)
     WHERE d.preparation = %(preparation)s AND d.no = %(delivery_no)s),
priced AS (
    SELECT h.parts, (
               SELECT x.price FROM rates x
                WHERE x.country = h.region
                  AND (x.sender = '*' OR x.sender = h.sender AND h.sender NOT IN ('number', 'alphanumeric')
                       OR h.sender <> '' AND x.sender = CASE WHEN h.sender ~ '^[0-9]+$' THEN 'number' ELSE 'alphanumeric' END)
                ORDER BY x.sender = '*', x.sender IN ('number', 'alphanumeric') LIMIT 1) AS price
      FROM handed h)
UPDATE smsflow_reservations r
   SET kept_parts = s.parts, kept_cost = CASE WHEN r.cost IS NOT NULL THEN coalesce(s.cost, r.cost) END
  FROM (SELECT coalesce(sum(parts), 0) AS parts,
               CASE WHEN count(*) = count(price) THEN coalesce(sum(parts * price), 0) END AS cost FROM priced) AS s
 WHERE r.preparation = %(preparation)s
RETURNING r.kept_parts;

-- unsettled_stopped --
-- Deliveries that were stopped and still hold all they had reserved, or have something left that a lost worker
-- held when the others ended. Reads smsflow_reservations and the chunks of stopped deliveries: a row a
-- preparation, and one per thousand messages.
SELECT d.id FROM smsflow_deliveries d
  JOIN smsflow_preparations p ON p.no = d.preparation AND p.dropped_at IS NULL
 WHERE d.state = 'stopped'
   AND (EXISTS (SELECT FROM smsflow_reservations r
                 WHERE r.delivery_no = d.no AND r.preparation = d.preparation AND r.kept_parts IS NULL)
        OR EXISTS (SELECT FROM smsflow_chunks c
                    WHERE c.preparation = d.preparation AND p.archived_at IS NULL
                      AND (c.epoch IS NOT NULL OR c.next_position <= c.last_position OR c.waiting > 0)))
 ORDER BY d.no;
