"""What a send task tells while it sends: a line in its log, metrics, samples for the dashboard."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from smsflow_provider.hooks.metrics import Metrics

if TYPE_CHECKING:
    from smsflow_provider.core.delivery.progress import ProgressMeter
    from smsflow_provider.core.store.connection import Store
    from smsflow_provider.core.store.deliveries import Delivery

#: What a worker counts that needs other words: these are not lost, they go again.
_KINDS = {"not_sent": "to go again"}

#: Seconds between two counts of what became of the messages, at the least.
_COUNT_AFTER_S = 120.0
#: How long a task that ends may take to count once more, in seconds.
_LAST_COUNT_S = 5.0


class SendProgress:
    """
    Takes a worker's counts, looks up where the whole delivery stands, tells both, and samples it.

    A call returns at once: the store is asked on a thread of its own, and a question that takes
    long makes the next line come later, not the messages. Nothing here raises.

    Args:
        say: Writes one line; gets counts, no number and no text.
        metrics: Gets the same.
    """

    def __init__(
        self,
        store: Store,
        delivery_id: str,
        *,
        say: Callable[[str], object],
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._delivery_id = delivery_id
        self._say = say
        self._metrics = metrics
        self._monotonic = monotonic
        self._meter: ProgressMeter | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smsflow-progress")
        self._asked: Future[None] | None = None
        self._own: dict[str, int] = {}
        self._lock = threading.Lock()
        self._count_at = monotonic() + _COUNT_AFTER_S

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._asked is not None:
            self._asked.cancel()
        self._thread.submit(self._look_last)
        self._thread.shutdown(wait=True)

    def __call__(self, counts: dict[str, int]) -> None:
        """Tell how far it is; *counts* are those of this worker, by kind."""
        with self._lock:
            self._own = dict(counts)
        self._metrics.count(counts)
        if self._asked is None or self._asked.done():
            self._asked = self._thread.submit(self._look)

    def _look(self) -> None:
        try:
            self._tell()
        except Exception as error:  # noqa: BLE001  a line is not worth a message
            self._say(f"Sending: {self._here()} (no figures: {type(error).__name__})")

    def _look_last(self) -> None:
        """Note how it stands now that this worker ends, and count what became of the messages."""
        from smsflow_provider.core.delivery.summary import count_summary  # noqa: PLC0415  heavy
        from smsflow_provider.core.states import DeliveryState  # noqa: PLC0415  same
        from smsflow_provider.core.store.deliveries import find_delivery  # noqa: PLC0415  same
        from smsflow_provider.core.store.running import write_sample  # noqa: PLC0415  same

        # Maintenance samples and counts it later where this does not.
        with contextlib.suppress(Exception):
            delivery = find_delivery(self._store, self._delivery_id)
            write_sample(self._store, delivery, every_s=0)
            if delivery.state in (DeliveryState.FINISHED, DeliveryState.STOPPED):
                count_summary(self._store, delivery, timeout_s=_LAST_COUNT_S)

    def _note(self, delivery: Delivery) -> None:
        """Keep a sample for the dashboard, and count what became of the messages now and then."""
        from smsflow_provider.core.delivery.summary import count_summary  # noqa: PLC0415  heavy
        from smsflow_provider.core.store.running import write_sample  # noqa: PLC0415  same

        write_sample(self._store, delivery)
        now = self._monotonic()
        if now >= self._count_at:
            count_summary(self._store, delivery, timeout_s=20)
            took_s = self._monotonic() - now
            # At most a twentieth of the time is spent on it.
            self._count_at = now + max(_COUNT_AFTER_S, 20 * took_s)

    def _tell(self) -> None:
        from smsflow_provider.core.delivery.progress import ProgressMeter  # noqa: PLC0415  heavy
        from smsflow_provider.core.states import DeliveryState  # noqa: PLC0415  same
        from smsflow_provider.core.store.deliveries import (  # noqa: PLC0415  same
            find_delivery,
            read_figures,
        )

        delivery = find_delivery(self._store, self._delivery_id)
        if self._meter is None or delivery.state is not DeliveryState.SENDING:
            # While it is held there is no rate; afterwards it is measured anew.
            self._meter = ProgressMeter(to_deliver=delivery.to_deliver)
        figures = read_figures(self._store, delivery)
        progress = self._meter.look(figures, now=self._monotonic())
        self._say(f"{_standing_of(delivery)}: {progress}; {self._here()}")
        self._metrics.going(per_s=progress.per_s, left=progress.left)
        with contextlib.suppress(Exception):
            self._note(delivery)

    def _here(self) -> str:
        with self._lock:
            told = [f"{_KINDS.get(kind, kind)} {n:,}" for kind, n in self._own.items() if n]
        return f"by this worker {', '.join(told) or 'none yet'}"


def _standing_of(delivery: Delivery) -> str:
    """Say in a word or two how the delivery stands."""
    from smsflow_provider.core.states import DeliveryState  # noqa: PLC0415  parsing loads no core

    is_held = delivery.state is DeliveryState.PAUSED and delivery.pause_reason
    reason = f" ({delivery.pause_reason})" if is_held else ""
    return f"{delivery.state.value.capitalize()}{reason}"


def total_of(report: dict[str, Any]) -> dict[str, Any]:
    """Keep the counts of a report, for one line of a log."""
    return {name: value for name, value in report.items() if isinstance(value, int)}
