"""Progress and metrics of a send: counts only, and never in its way."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from smsflow_provider.core.store.connection import Store
from smsflow_provider.hooks.metrics import REPORTED, Metrics
from smsflow_provider.hooks.progress import SendProgress
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import DIGITS, WORDS, MakeDag
from tests.airflow.running import Run, send
from tests.prepared_delivery import make_prepared


class RecordingStats:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, float, dict[str, Any]]] = []

    def incr(self, stat: str, count: int = 1, *, tags: dict[str, Any] | None = None) -> None:
        self.told.append(("incr", stat, count, tags or {}))

    def gauge(self, stat: str, value: float, *, tags: dict[str, Any] | None = None) -> None:
        self.told.append(("gauge", stat, value, tags or {}))


class BrokenStats(RecordingStats):
    """Takes a metric and fails."""

    def incr(self, stat: str, count: int = 1, *, tags: dict[str, Any] | None = None) -> None:
        super().incr(stat, count, tags=tags)
        raise ConnectionError(stat)

    def gauge(self, stat: str, value: float, *, tags: dict[str, Any] | None = None) -> None:
        super().gauge(stat, value, tags=tags)
        raise ConnectionError(stat)


def test_counters_get_what_came_on_top() -> None:
    stats = RecordingStats()
    metrics = Metrics("shop.sale", stats=stats)

    metrics.count({"accepted": 5, "failed": 0})
    metrics.count({"accepted": 7, "failed": 1})
    metrics.count({"accepted": 7, "failed": 1})

    tags = {"dag_id": "shop.sale"}
    assert [
        ("incr", "smsflow.messages.accepted", 5, tags),
        ("incr", "smsflow.messages.accepted", 2, tags),
        ("incr", "smsflow.messages.failed", 1, tags),
    ] == stats.told


def test_a_report_sets_gauges() -> None:
    stats = RecordingStats()

    Metrics("d", stats=stats).reported(dict.fromkeys(REPORTED, 3) | {"label": "x"})

    assert [f"smsflow.delivery.{name}" for name in REPORTED] == [one[1] for one in stats.told]


def test_broken_metrics_hurt_nobody() -> None:
    stats = BrokenStats()
    metrics = Metrics("d", stats=stats)

    metrics.count({"accepted": 1})
    metrics.going(per_s=1.0, left=2)
    metrics.reported({"accepted": 1})

    assert 4 == len(stats.told)


def test_a_line_tells_the_delivery_and_the_worker(store: Store) -> None:
    make_prepared(store, count=4)
    lines: list[str] = []
    stats = RecordingStats()
    metrics = Metrics("d", stats=stats)

    with SendProgress(store, "d1", say=lines.append, metrics=metrics) as progress:
        progress({"accepted": 0, "failed": 0})

    assert ["Ready: 0 of 4; by this worker none yet"] == lines
    assert [("gauge", "smsflow.send.left", 4, {"dag_id": "d"})] == stats.told


def test_without_figures_a_line_comes_all_the_same(store: Store) -> None:
    lines: list[str] = []

    with SendProgress(store, "nobody", say=lines.append, metrics=Metrics("d")) as progress:
        progress({"accepted": 2})

    assert ["Sending: by this worker accepted 2 (no figures: NotFoundError)"] == lines


def test_a_slow_store_does_not_hold_the_sender_up(store: Store) -> None:
    make_prepared(store, count=1)
    waits = threading.Event()
    lines: list[str] = []

    def say(line: str) -> None:
        waits.wait(10)
        lines.append(line)

    with SendProgress(store, "d1", say=say, metrics=Metrics("d")) as progress:
        for count in range(50):
            progress({"accepted": count})
        waits.set()

    assert 1 == len(lines)


def test_a_whole_run_tells_metrics_without_people(
    make_dag: MakeDag,
    simulator: RunningSimulator,  # noqa: ARG001  takes the messages
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stats = RecordingStats()
    monkeypatch.setattr("smsflow_provider.hooks.metrics._airflows", lambda: stats)

    run = Run.start(make_dag()).go(send)

    told = {one[1]: one[2] for one in stats.told}
    assert "success" == run.state
    assert (2, 0) == (told["smsflow.delivery.accepted"], told["smsflow.delivery.unknown"])
    assert not [word for word in (*DIGITS, *WORDS) if word in repr(stats.told)]
