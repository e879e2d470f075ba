"""Airflow's own metrics: StatsD or OpenTelemetry, whichever is configured. Counts only."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from smsflow_provider.core.model import FIGURES

log = logging.getLogger(__name__)

#: Figures of a delivery that its report tells as gauges.
REPORTED = (
    *FIGURES,
    "waiting",
)


class Stats(Protocol):
    """What is used of ``airflow.sdk.observability.stats``."""

    def incr(self, stat: str, count: int = 1, *, tags: dict[str, Any] | None = None) -> None:
        """Add to a counter."""

    def gauge(self, stat: str, value: float, *, tags: dict[str, Any] | None = None) -> None:
        """Set a gauge."""


class Metrics:
    """
    Metrics of one delivery, tagged with its ``dag_id``. Never raises: nothing may hurt a send.

    ``smsflow.messages.{accepted,failed,…}`` count what one worker's messages came to;
    ``smsflow.send.rate`` (messages a second, by all workers) and ``smsflow.send.left`` are gauges
    while it is sent; ``smsflow.delivery.{accepted,…,waiting}`` are gauges of its report.

    Args:
        dag_id: Of the run; no run, no number and no text is in a tag.
        stats: Takes the metrics. None: Airflow's own.
    """

    def __init__(self, dag_id: str, *, stats: Stats | None = None) -> None:
        self._tags = {"dag_id": dag_id}
        self._stats = stats
        self._counted: dict[str, int] = {}

    def count(self, counts: Mapping[str, int]) -> None:
        """Add what has been done since the last call; *counts* only grow."""
        for kind, value in counts.items():
            more = value - self._counted.get(kind, 0)
            if more > 0:
                self._counted[kind] = value
                self._emit("incr", f"smsflow.messages.{kind}", more)

    def going(self, *, per_s: float | None, left: int) -> None:
        """Tell how quickly a delivery goes and how much is left."""
        if per_s is not None:
            self._emit("gauge", "smsflow.send.rate", per_s)
        self._emit("gauge", "smsflow.send.left", left)

    def reported(self, report: Mapping[str, Any]) -> None:
        """Tell the figures of a report."""
        for name in REPORTED:
            if isinstance(report.get(name), int):
                self._emit("gauge", f"smsflow.delivery.{name}", report[name])

    def _emit(self, how: str, name: str, value: float) -> None:
        try:
            getattr(self._stats or _airflows(), how)(name, value, tags=self._tags)
        except Exception as error:  # noqa: BLE001  a metric is not worth a message
            log.debug("A metric was not taken", extra={"cause": type(error).__name__})


def _airflows() -> Any:
    from airflow.sdk.observability import stats  # noqa: PLC0415  configured when a task runs

    return stats
