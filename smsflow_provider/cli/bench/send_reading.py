"""How long it takes to read how a large delivery stands: its figures, and pages of its log."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from smsflow_provider.cli.bench.made import begin_delivery, published
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, read_figures
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.core.store.message_log import read_message_log
from smsflow_provider.core.store.prepared import writing_preparation

_PAGE = 50
_REPEATED = 21
_FAILED_EVERY = 100_000
#: One message in a hundred thousand failed, one in two was delivered, the last thousandth waits.
_FILL = """
INSERT INTO smsflow_messages_p{p}
SELECT {p}, n, 33600000000 + n, 'r' || n, 'ACME', 'Hello ' || n, 'gsm7', 1, 'FR'
  FROM generate_series(1, {count}) n;
INSERT INTO smsflow_marks_p{p} (preparation, position, attempt, epoch)
SELECT {p}, n, 0, 1 FROM generate_series(1, {taken}) n;
INSERT INTO smsflow_outcomes_p{p} (preparation, position, attempt, kind, code)
SELECT {p}, n, 0, CASE WHEN n % {failed} = 0 THEN 'failed' ELSE 'accepted' END,
       CASE WHEN n % {failed} = 0 THEN '30003' ELSE '' END
  FROM generate_series(1, {taken}) n;
INSERT INTO smsflow_receipts_p{p} (preparation, position, kind, received_at)
SELECT {p}, n, 'delivered', now() FROM generate_series(1, {taken}, 2) n
"""
_COUNT = """
UPDATE smsflow_chunks c
   SET next_position = least(last_position, {taken}) + 1, failed = f.failed,
       accepted = greatest(0, least(last_position, {taken}) - first_position + 1) - f.failed,
       delivered = greatest(0, least(last_position, {taken}) - first_position + 1) / 2
  FROM (SELECT chunk, least(last_position, {taken}) / {failed}
               - least(first_position - 1, {taken}) / {failed} AS failed
          FROM smsflow_chunks WHERE preparation = {p}) AS f
 WHERE c.preparation = {p} AND c.chunk = f.chunk;
VACUUM ANALYZE smsflow_chunks;
ANALYZE smsflow_messages_p{p};
ANALYZE smsflow_marks_p{p};
ANALYZE smsflow_outcomes_p{p};
ANALYZE smsflow_receipts_p{p};
CHECKPOINT
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Medians, in milliseconds."""

    messages: int
    #: On a connection that is kept.
    figures_ms: float
    #: Of 50 messages with their states: the slowest of the first, a middle and the last page,
    #: and of a page of those that failed.
    log_page_ms: float
    log_page_failed_ms: float


def measure_reading(store: Store, *, count: int) -> Reading:
    """Make a delivery of *count* messages, half of them delivered, by SQL, and read it."""
    delivery = make_large(store, count)
    figures = read_figures(store, delivery)
    if figures["accepted"] + figures["failed"] != _taken(count):
        raise ConfigError("the delivery of the benchmark does not add up", **figures)
    pages = [0, count // 2, count - _PAGE]
    with KeptStore(store) as kept:
        figures_ms = _median_ms(lambda: read_figures(kept, delivery))
    return Reading(
        messages=count,
        figures_ms=figures_ms,
        log_page_ms=max(_page_ms(store, delivery, after) for after in pages),
        log_page_failed_ms=_median_ms(
            lambda: read_message_log(store, delivery, limit=_PAGE, states=["failed"])
        ),
    )


def _page_ms(store: Store, delivery: Delivery, after: int) -> float:
    if len(read_message_log(store, delivery, after=after, limit=_PAGE)) != _PAGE:
        raise ConfigError("a page of the benchmark is not whole", after=after)
    return _median_ms(lambda: read_message_log(store, delivery, after=after, limit=_PAGE))


def _median_ms(read: Callable[[], object]) -> float:
    taken_ms = []
    for _ in range(_REPEATED):
        began_s = time.perf_counter()
        read()
        taken_ms.append(1000 * (time.perf_counter() - began_s))
    return statistics.median(taken_ms)


def _taken(count: int) -> int:
    return count - count // 1000


def make_large(store: Store, count: int) -> Delivery:
    """Make the delivery ``bench-large``, whose messages have nearly all been handed over."""
    delivery = begin_delivery(store, "bench-large", count=count)
    told = {
        "p": delivery.preparation,
        "count": count,
        "taken": _taken(count),
        "failed": _FAILED_EVERY,
    }
    with writing_preparation(store, delivery) as writer:
        connection = writer.finish()
        for statement in _FILL.format(**told).split(";"):
            connection.execute(statement.encode())
        writer.publish(published(count, fingerprint="bench"))
    with store.connect() as connection:
        connection.autocommit = True
        for statement in _COUNT.format(**told).split(";"):
            connection.execute(statement.encode())
    return delivery
