"""A store as years of campaigns leave it: many deliveries, one very large, long lists."""

from __future__ import annotations

import json
from typing import Final

from smsflow_provider.cli.bench.send_reading import make_large
from smsflow_provider.core.store.connection import Store

LARGE: Final = "bench-large"
#: Workflows the deliveries belong to, but for the large one's.
WORKFLOWS: Final = tuple(f"bench.w{number}" for number in range(9))
_OPT_OUTS: Final = 1_000_000
_QUARANTINED: Final = 100_000
_EXCLUDED: Final = 100_000
_SAMPLES: Final = 720
_NOTES: Final = 5_000
_AUDIENCES: Final = 400
#: What a preparation says of itself, as far as it makes the pages ask for more.
_FIGURES: Final = {
    "excluded": {"opted_out": _EXCLUDED},
    "details": [{"reason": "opted_out", "detail": "", "recipients": _EXCLUDED}],
    "samples": {"first": [1, 2, 3], "longest": 4_000_000, "shortest": 9, "dearest": 2_000_000},
    "regions": {"FR": {"messages": 5_000_000, "parts": 5_000_000}},
    "encodings": {"gsm7": 5_000_000},
    "by_parts": {"1": 5_000_000},
}

#: Of a hundred deliveries one waits, one is paused, one sends; the others have ended.
_DELIVERIES = """
INSERT INTO smsflow_deliveries (id, kind, label, dag_id, run_id, task_id, gateway,
       state, targeted, excluded, to_deliver, parts, created_at, created_by, prepared_at,
       sending_at, ended_at, fingerprint, figures)
SELECT 'bench-' || n, 'campaign', 'Bench ' || n, 'bench.w' || n % {workflows}, 'run-' || n,
       'sms', 'simulator', CASE n % 100 WHEN 0 THEN 'ready' WHEN 1 THEN 'paused'
       WHEN 2 THEN 'sending' ELSE 'finished' END, 1100, 100, 1000, 1200,
       now() - n * interval '1 hour', 'bench', now() - n * interval '1 hour',
       CASE WHEN n % 100 > 0 THEN now() - n * interval '1 hour' END,
       CASE WHEN n % 100 > 2 THEN now() - n * interval '1 hour' END, 'f' || n,
       '{{"excluded": {{"opted_out": 100}}}}'
  FROM generate_series(1, {count}) n;
INSERT INTO smsflow_preparations (delivery_no, published_at)
SELECT no, prepared_at FROM smsflow_deliveries WHERE preparation = 0;
UPDATE smsflow_deliveries d SET preparation = p.no
  FROM smsflow_preparations p WHERE p.delivery_no = d.no AND d.preparation = 0;
INSERT INTO smsflow_chunks (preparation, chunk, first_position, last_position, next_position,
       accepted, failed, delivered)
SELECT preparation, 1, 1, 1000, 1001, 980, 20, 900
  FROM smsflow_deliveries WHERE state = 'finished'
"""
_LISTS = """
INSERT INTO smsflow_opt_outs (phone, reason, source, created_at)
SELECT 33700000000 + n, 'asked', 'bench', now() - n * interval '1 second'
  FROM generate_series(1, {opt_outs}) n;
INSERT INTO smsflow_quarantine (phone, reason, source, errors, quarantined_at)
SELECT 33710000000 + n, 'bench', 'receipts', 5, now() - n * interval '1 second'
  FROM generate_series(1, {quarantined}) n;
INSERT INTO smsflow_exclusions (preparation, row_number, recipient_id, phone, reason)
SELECT {p}, n, 'x' || n, 33720000000 + n, 'opted_out' FROM generate_series(1, {excluded}) n;
INSERT INTO smsflow_audiences (name, version, uri, row_count, columns, fingerprint)
SELECT CASE WHEN n % 2 = 0 THEN 'bench' ELSE 'bench_' || n END, n, 'file:///gone/' || n, 1000,
       '[{{"name": "name", "kind": "string"}}]', 'f' || n
  FROM generate_series(1, {audiences}) n;
UPDATE smsflow_deliveries SET figures = '{figures}' WHERE no = {no};
INSERT INTO smsflow_audit (at, actor, action, delivery_no)
SELECT now() - n * interval '1 minute', 'bench', 'unmask', {no} FROM generate_series(1, {notes}) n;
INSERT INTO smsflow_samples
SELECT {p}, now() - n * interval '5 seconds', 5000000 - n * 5000, 0, 0, 0, 0, 2500000 - n * 2500, 0
  FROM generate_series(1, {samples}) n;
VACUUM ANALYZE smsflow_deliveries, smsflow_preparations, smsflow_chunks, smsflow_opt_outs,
       smsflow_quarantine, smsflow_audit, smsflow_samples;
ANALYZE smsflow_exclusions;
CHECKPOINT
"""


def fill_store(store: Store, *, deliveries: int, messages: int) -> None:
    """
    Fill an empty, migrated store by SQL.

    Args:
        store: Which.
        deliveries: How many there are, with the large one.
        messages: Of the large one, `LARGE`, half of which are delivered.
    """
    large = make_large(store, messages)
    words = {
        "workflows": len(WORKFLOWS),
        "count": deliveries - 1,
        "opt_outs": _OPT_OUTS,
        "quarantined": _QUARANTINED,
        "excluded": _EXCLUDED,
        "notes": _NOTES,
        "samples": _SAMPLES,
        "audiences": _AUDIENCES,
        "figures": json.dumps(_FIGURES),
        "p": large.preparation,
        "no": large.no,
    }
    with store.connect() as connection:
        connection.autocommit = True
        for statement in (_DELIVERIES + ";" + _LISTS).format(**words).split(";"):
            connection.execute(statement.encode())
