"""Measure how fast one receiver process takes receipts, and what is lost when it is killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import polars as pl

from smsflow_provider.cli.bench.made import begin_delivery, made_database, published
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.keys import read_keys
from smsflow_provider.core.store.migrate import migrate
from smsflow_provider.core.store.prepared import (
    writing_preparation,
)
from smsflow_provider.core.store.receipts import apply_all_receipts

#: What one receiver process must take in a second, durably.
LEAST_RECEIPTS_PER_S: Final = 8_000.0
_LOAD = "smsflow_provider.cli.bench.receipt_load"
_MAIN = "smsflow_provider.cli.main"
_FIRST_PHONE: Final = 33_600_000_000
_MESSAGES = """
INSERT INTO smsflow_marks (preparation, position, attempt, epoch)
SELECT {0}, n, 0, 1 FROM generate_series(1, {1}) n;
INSERT INTO smsflow_outcomes (preparation, position, attempt, kind)
SELECT {0}, n, 0, 'accepted' FROM generate_series(1, {1}) n;
UPDATE smsflow_chunks
   SET accepted = last_position - first_position + 1, next_position = last_position + 1
 WHERE preparation = {0};
CHECKPOINT;
"""
_MISSING = """
SELECT count(*) AS missing FROM unnest(%(positions)s::integer[]) AS t (position)
 WHERE NOT EXISTS (SELECT FROM smsflow_receipts r
                    WHERE r.preparation = %(preparation)s AND r.position = t.position
                      AND r.kind = 'delivered')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsPlan:
    """What to measure."""

    #: Receipts of the measured round; the one with the kill has half as many.
    receipts: int
    #: Connections on which the gateway reports, each one call at a time.
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsResult:
    """What was found."""

    receipts: int
    #: Answered with 200 in a second, from the first call to the last answer.
    receipts_per_s: float
    #: Applied in a second, from the first call until the last was applied.
    applied_per_s: float
    #: Answered with another status in the measured round.
    refused: int
    #: Answered with 200 before the receiver was killed.
    acknowledged_before_kill: int
    #: Of those, not in the store afterwards.
    lost: int
    #: Settings of the server under which it was measured.
    fsync: str
    synchronous_commit: str

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON values, rounded for people."""
        return {
            name: round(value, 1) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }

    @property
    def is_met(self) -> bool:
        """Whether it is as fast as it must be, and lost nothing."""
        return self.receipts_per_s >= LEAST_RECEIPTS_PER_S and self.lost == 0


def measure_receipts(plan: ReceiptsPlan, *, say: Callable[[str], None]) -> ReceiptsResult:
    """
    Measure on a PostgreSQL server that is made for it, syncs to disk, and is deleted again.

    Args:
        plan: What to measure.
        say: Told what happens now, as a sentence.
    """
    with made_database() as (_, dsn):
        store = Store(dsn)
        migrate(store)
        say("preparing messages to report on")
        delivery = _make_sent(store, plan.receipts + plan.receipts // 2)
        return _measure(store, delivery, plan, say=say)


def _measure(
    store: Store, delivery: Delivery, plan: ReceiptsPlan, *, say: Callable[[str], None]
) -> ReceiptsResult:
    told = {
        "delivery_no": delivery.no,
        "preparation": delivery.preparation,
        "keys": [key.hex() for key in read_keys(store)],
        "connections": plan.connections,
    }
    say(f"reporting on {plan.receipts:,} messages")
    with _receiver(store) as (_, port), _load(told, first=1, count=plan.receipts, port=port) as one:
        said = _answer_of(one)
        applied_s = said["seconds"] + _seconds_until_applied(store)
    say("reporting again, and killing the receiver in the middle")
    count = plan.receipts // 2
    begin = plan.receipts + 1
    with (
        _receiver(store) as (receiver, port),
        _load(told, first=begin, count=count, port=port) as one,
    ):
        _wait_for_receipts(store, delivery.preparation, after=plan.receipts, count=count // 2)
        receiver.kill()
        acknowledged = _answer_of(one)["stored"]
    apply_all_receipts(store)
    return ReceiptsResult(
        receipts=len(said["stored"]),
        receipts_per_s=len(said["stored"]) / said["seconds"],
        applied_per_s=len(said["stored"]) / applied_s,
        refused=said["refused"],
        acknowledged_before_kill=len(acknowledged),
        lost=_missing(store, delivery.preparation, [*said["stored"], *acknowledged]),
        **_settings_of(store),
    )


@contextmanager
def _receiver(store: Store) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run the receiver as its users do."""
    port = _free_port()
    command = [sys.executable, "-m", _MAIN, "receiver", "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, "SMSFLOW_STORE": store.dsn}) as process:
        try:
            _wait_for_port(process, port)
            yield process, port
        finally:
            process.terminate()


@contextmanager
def _load(
    told: dict[str, Any], *, first: int, count: int, port: int
) -> Iterator[subprocess.Popen[str]]:
    whole = {**told, "first": first, "count": count, "port": port}
    with subprocess.Popen(
        [sys.executable, "-m", _LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdin is not None:
                process.stdin.write(json.dumps(whole))
                process.stdin.close()
            yield process
        finally:
            process.kill()


def _answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    said = process.stdout.read() if process.stdout is not None else ""
    if not said:
        raise ConfigError("the gateway of the benchmark failed", exit_code=process.wait())
    found: dict[str, Any] = json.loads(said)
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _wait_for_port(process: subprocess.Popen[bytes], port: int, *, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise ConfigError("the receiver did not start", exit_code=process.poll())


def _seconds_until_applied(store: Store, *, within_s: float = 120) -> float:
    began_s = time.perf_counter()
    while time.perf_counter() - began_s < within_s:
        with store.transaction() as connection:
            row = connection.execute("SELECT no FROM smsflow_receipt_inbox LIMIT 1").fetchone()
        if row is None:
            break
        time.sleep(0.02)
    return time.perf_counter() - began_s


def _wait_for_receipts(
    store: Store, preparation: int, *, after: int, count: int, within_s: float = 60
) -> None:
    """Wait until *count* receipts came in for messages behind position *after*."""
    query = (
        "SELECT (SELECT count(*) FROM smsflow_receipt_inbox) + (SELECT count(*)"
        " FROM smsflow_receipts WHERE preparation = %s AND position > %s) AS came"
    )
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with store.transaction() as connection:
            row = connection.execute(query, (preparation, after)).fetchone()
        if row is not None and row["came"] >= count:
            return
        time.sleep(0.01)
    raise ConfigError("no receipts come in")


def _missing(store: Store, preparation: int, positions: Sequence[int]) -> int:
    with store.transaction() as connection:
        row = connection.execute(
            _MISSING.encode(), {"preparation": preparation, "positions": list(positions)}
        ).fetchone()
    return int(row["missing"]) if row is not None else len(positions)


def _settings_of(store: Store) -> dict[str, str]:
    names = ("fsync", "synchronous_commit")
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT current_setting('fsync') AS fsync,"
            " current_setting('synchronous_commit') AS synchronous_commit"
        ).fetchone()
    return {name: str((row or {}).get(name)) for name in names}


def _make_sent(store: Store, count: int) -> Delivery:
    """Make a delivery of *count* messages that the gateway took."""
    delivery = begin_delivery(store, "bench", count=count)
    with writing_preparation(store, delivery) as writer:
        writer.write_messages(_messages(count))
        writer.publish(published(count, fingerprint="bench"))
    with store.connect() as connection:
        connection.autocommit = True
        for statement in _MESSAGES.format(delivery.preparation, count).split(";"):
            if statement.strip():
                connection.execute(statement.encode())
    return delivery


def _messages(count: int) -> pl.DataFrame:
    numbers = pl.int_range(1, count + 1, eager=True)
    return pl.DataFrame(
        {
            "position": numbers.cast(pl.Int32),
            "phone": (numbers + _FIRST_PHONE).cast(pl.Int64),
            "recipient_id": numbers.cast(pl.String),
        }
    ).with_columns(
        pl.lit("ACME").alias("sender"),
        pl.lit("Hello").alias("body"),
        pl.lit("gsm7").alias("encoding"),
        pl.lit(1, pl.Int16).alias("parts"),
        pl.lit("FR").alias("region"),
    )
