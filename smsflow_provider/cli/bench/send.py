"""Measure how fast a delivery is sent, beside the same sending without a ledger."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from smsflow_provider.cli.bench.made import made_database
from smsflow_provider.cli.bench.result import Verdict
from smsflow_provider.cli.bench.send_ledgered import (
    Measured,
    make_approved,
    send_at_once,
    send_by_http,
)
from smsflow_provider.cli.bench.send_reading import measure_reading
from smsflow_provider.cli.bench.send_reference import send_by_aiohttp, send_by_sdk
from smsflow_provider.cli.bench.send_sink import running_sink
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.migrate import migrate

#: Of a bare aiohttp loop without a ledger.
LEAST_RATIO: Final = 0.75
#: Times the rate of Twilio's SDK in a loop, and in 32 threads, at 50 ms.
LEAST_VS_LOOP: Final = 100.0
LEAST_VS_THREADS: Final = 7.0
#: Messages a second to a gateway that answers at once in process.
LEAST_LEDGER_PER_S: Final = 50_000.0
MOST_FIGURES_MS: Final = 5.0
MOST_LOG_PAGE_MS: Final = 20.0
_SLOW_S: Final = 0.05
_THREADS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPlan:
    """What to measure."""

    #: Messages of each measurement.
    rows: int = 20_000
    rounds: int = 3
    #: Connections to a sink that answers at once, and to one that takes 50 ms.
    connections: int = 64
    slow_connections: int = 500
    #: Messages of the delivery whose figures and log are read.
    large: int = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What was found: medians of the rounds; a ratio is one of each round."""

    rows: int
    ledgered_ratio_0ms: float
    ledgered_ratio_50ms: float
    vs_twilio_loop: float
    vs_twilio_threads: float
    ledger_only_per_s: float
    figures_ms: float
    log_page_ms: float
    log_page_failed_ms: float
    large: int
    ledgered_per_s_0ms: float
    ledgered_per_s_50ms: float
    aiohttp_per_s_0ms: float
    aiohttp_per_s_50ms: float
    twilio_loop_per_s: float
    twilio_threads_per_s: float
    #: Time of the sender's processor for a message, in microseconds.
    cpu_us_0ms: float
    ledger_only_cpu_us: float

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON values, rounded for people."""
        found = asdict(self)
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in found.items()}

    def verdicts(self) -> list[Verdict]:
        """Judge it."""
        least = {
            "ledgered_ratio_0ms": LEAST_RATIO,
            "ledgered_ratio_50ms": LEAST_RATIO,
            "vs_twilio_loop": LEAST_VS_LOOP,
            "vs_twilio_threads": LEAST_VS_THREADS,
            "ledger_only_per_s": LEAST_LEDGER_PER_S,
        }
        most = {
            "figures_ms": MOST_FIGURES_MS,
            "log_page_ms": MOST_LOG_PAGE_MS,
            "log_page_failed_ms": MOST_LOG_PAGE_MS,
        }
        found = [
            Verdict(what=name, found=getattr(self, name), limit=limit, is_least=True)
            for name, limit in least.items()
        ]
        return found + [
            Verdict(what=name, found=getattr(self, name), limit=limit)
            for name, limit in most.items()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    aiohttp_per_s_0ms: float
    aiohttp_per_s_50ms: float
    ledgered_per_s_0ms: float
    ledgered_per_s_50ms: float
    twilio_loop_per_s: float
    twilio_threads_per_s: float
    ledger_only_per_s: float
    cpu_us_0ms: float
    ledger_only_cpu_us: float

    def ratios(self) -> dict[str, float]:
        return {
            "ledgered_ratio_0ms": self.ledgered_per_s_0ms / self.aiohttp_per_s_0ms,
            "ledgered_ratio_50ms": self.ledgered_per_s_50ms / self.aiohttp_per_s_50ms,
            "vs_twilio_loop": self.ledgered_per_s_50ms / self.twilio_loop_per_s,
            "vs_twilio_threads": self.ledgered_per_s_50ms / self.twilio_threads_per_s,
        }


def measure_send(plan: SendPlan, *, say: Callable[[str], None]) -> SendResult:
    """
    Measure on a PostgreSQL server that is made for it, syncs to disk, and is deleted again.

    Args:
        plan: What to measure.
        say: Told what happens now, as a sentence.

    Raises:
        ConfigError: Twilio's SDK is not installed, or something did not arrive once.
    """
    with made_database() as (_, dsn):
        store = Store(dsn)
        migrate(store)
        rounds = [
            _measure_round(store, plan, number, say=say) for number in range(1, plan.rounds + 1)
        ]
        say(f"reading a delivery of {plan.large:,} messages")
        reading = measure_reading(store, count=plan.large)
    return SendResult(
        rows=plan.rows,
        large=reading.messages,
        figures_ms=reading.figures_ms,
        log_page_ms=reading.log_page_ms,
        log_page_failed_ms=reading.log_page_failed_ms,
        **_medians([one.ratios() for one in rounds]),
        **_medians([asdict(one) for one in rounds]),
    )


def _medians(found: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def _measure_round(
    store: Store, plan: SendPlan, number: int, *, say: Callable[[str], None]
) -> _Round:
    say(f"round {number} of {plan.rounds}")
    rows = plan.rows
    fast, slow = plan.connections, plan.slow_connections
    bare_s = _by_aiohttp(rows, delay_s=0.0, connections=fast)
    own = _by_http(store, f"bench-{number}-0", rows, delay_s=0.0, connections=fast)
    slow_bare_s = _by_aiohttp(rows, delay_s=_SLOW_S, connections=slow)
    slow_own = _by_http(store, f"bench-{number}-50", rows, delay_s=_SLOW_S, connections=slow)
    few, more = min(rows, 60), min(rows, 1_500)
    alone = send_at_once(store, make_approved(store, f"bench-{number}", count=5 * rows))
    return _Round(
        aiohttp_per_s_0ms=rows / bare_s,
        aiohttp_per_s_50ms=rows / slow_bare_s,
        ledgered_per_s_0ms=rows / own.seconds,
        ledgered_per_s_50ms=rows / slow_own.seconds,
        twilio_loop_per_s=few / _by_sdk(few, threads=1),
        twilio_threads_per_s=more / _by_sdk(more, threads=_THREADS),
        ledger_only_per_s=5 * rows / alone.seconds,
        cpu_us_0ms=1e6 * own.cpu_s / rows,
        ledger_only_cpu_us=1e6 * alone.cpu_s / (5 * rows),
    )


def _by_aiohttp(rows: int, *, delay_s: float, connections: int) -> float:
    with running_sink(delay_s=delay_s) as sink:
        seconds = send_by_aiohttp(sink.url, count=rows, connections=connections)
        sink.check(rows)
    return seconds


def _by_http(
    store: Store, delivery_id: str, rows: int, *, delay_s: float, connections: int
) -> Measured:
    delivery = make_approved(store, delivery_id, count=rows)
    with running_sink(delay_s=delay_s) as sink:
        measured = send_by_http(store, delivery, url=sink.url, connections=connections)
        sink.check(rows)
    return measured


def _by_sdk(count: int, *, threads: int) -> float:
    with running_sink(delay_s=_SLOW_S) as sink:
        seconds = send_by_sdk(sink.url, count=count, threads=threads)
        sink.check(count)
    return seconds


def table_of(result: SendResult) -> str:
    """Write what was found for people."""
    found = result.as_dict()
    return "\n".join(f"{one.name:<44} {found[one.name]:>14,}" for one in fields(result))
