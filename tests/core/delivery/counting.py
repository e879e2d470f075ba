"""Whether the counters of every chunk say what the rows say, at any moment of a delivery."""

from __future__ import annotations

from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery

#: Per chunk: what the counters say, then what marks, outcomes and receipts say.
_COUNTED = """
WITH messages AS (
    SELECT m.position, (m.position - 1) / 1000 AS chunk, o.kind, r.kind AS receipt,
           k.attempt AS marked, coalesce(k.attempt > o.attempt, k.attempt IS NOT NULL) AS under_way
      FROM smsflow_messages m
      LEFT JOIN LATERAL (SELECT attempt, kind FROM smsflow_outcomes
                          WHERE preparation = m.preparation AND position = m.position
                          ORDER BY attempt DESC LIMIT 1) o ON true
      LEFT JOIN LATERAL (SELECT attempt FROM smsflow_marks
                          WHERE preparation = m.preparation AND position = m.position
                          ORDER BY attempt DESC LIMIT 1) k ON true
      LEFT JOIN smsflow_receipts r ON r.preparation = m.preparation AND r.position = m.position
     WHERE m.preparation = %(preparation)s)
SELECT c.chunk, to_jsonb(c) AS counted, to_jsonb(f) AS found
  FROM (SELECT chunk, accepted, failed, unknown, cancelled, expired, waiting, delivered,
               undelivered, next_position - first_position AS taken
          FROM smsflow_chunks WHERE preparation = %(preparation)s) AS c
  JOIN (SELECT chunk,
               count(*) FILTER (WHERE kind = 'accepted' AND NOT under_way) AS accepted,
               count(*) FILTER (WHERE kind = 'failed' AND NOT under_way) AS failed,
               count(*) FILTER (WHERE kind = 'unknown' AND NOT under_way) AS unknown,
               count(*) FILTER (WHERE kind = 'cancelled' AND NOT under_way) AS cancelled,
               count(*) FILTER (WHERE kind = 'expired' AND NOT under_way) AS expired,
               count(*) FILTER (WHERE kind = 'not_sent' AND NOT under_way) AS waiting,
               count(*) FILTER (WHERE receipt = 'delivered') AS delivered,
               count(*) FILTER (WHERE receipt = 'undelivered') AS undelivered,
               count(*) FILTER (WHERE kind IS NOT NULL OR marked IS NOT NULL) AS taken
          FROM messages GROUP BY chunk) AS f USING (chunk)
"""


def miscounted(store: Store, delivery: Delivery) -> list[Row]:
    """List the chunks of *delivery* whose counters differ from their rows, with both."""
    with store.transaction() as connection:
        rows = connection.execute(_COUNTED, {"preparation": delivery.preparation}).fetchall()
    return [row for row in rows if row["counted"] != row["found"]]


def under_way(store: Store, delivery: Delivery) -> list[int]:
    """List messages that are marked and have no outcome: nobody may forget them."""
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT k.position FROM smsflow_marks k WHERE k.preparation = %(preparation)s"
            " AND NOT EXISTS (SELECT FROM smsflow_outcomes o WHERE o.preparation = k.preparation"
            " AND o.position = k.position AND o.attempt = k.attempt) ORDER BY 1",
            {"preparation": delivery.preparation},
        ).fetchall()
    return [row["position"] for row in rows]
