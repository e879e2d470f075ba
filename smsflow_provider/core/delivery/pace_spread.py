"""Spreading a delivery over time: how many parts a second leave so that it ends in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.content.sending_settings import Spread
from smsflow_provider.core.model import SETTLED
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, read_figures

#: What is left is counted again after this many seconds, ...
_COUNTED_S: Final = 10.0
#: ... and a little faster than needed, so that the last one leaves in time.
_AHEAD: Final = 1.02


def end_of(spread: Spread, began: datetime) -> datetime:
    """
    Find when the last message of a delivery that began at *began* (aware) should have left.

    Example:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        >>> end_of(Spread(finish_by="18:00", time_zone="Europe/Paris"), noon).isoformat()
        '2026-11-22T18:00:00+01:00'
        >>> end_of(Spread(over="4h"), noon).isoformat()
        '2026-11-22T16:00:00+00:00'
    """
    if spread.over_s is not None:
        return began + timedelta(seconds=spread.over_s)
    hour, minute = map(int, str(spread.finish_by).split(":"))
    local = began.astimezone(ZoneInfo(spread.time_zone))
    end = local.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    # The same wall clock a day later, whatever the clocks do in between.
    return end if end > began else end + timedelta(days=1)


class Evenly:
    """
    The pace of a delivery that is spread over time: parts left over the time left.

    Counted anew every few seconds, so that a pause, a restart and a slow gateway are made up for.
    """

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        spread: Spread,
        *,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._now = now
        self._clock = clock
        self._end = end_of(spread, delivery.sending_at or now())
        self._counted_at = -_COUNTED_S
        self._parts = 0.0

    def parts_per_s(self) -> float | None:
        """Say how many parts a second should leave from now on. None: the time is over."""
        left_s = (self._end - self._now()).total_seconds()
        if left_s <= 0:
            return None
        if self._clock() - self._counted_at >= min(_COUNTED_S, left_s / 20):
            self._counted_at = self._clock()
            self._parts = self._parts_left()
        return max(self._parts, 1.0) * _AHEAD / left_s

    def _parts_left(self) -> float:
        figures = read_figures(self._store, self._delivery)
        left = self._delivery.to_deliver - sum(figures[kind] for kind in SETTLED)
        return self._delivery.parts * left / max(self._delivery.to_deliver, 1)
