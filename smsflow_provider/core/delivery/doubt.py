"""Ending the doubts of a delivery before it finishes: ask the gateways, or send again by policy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from smsflow_provider.core.content.sending_settings import DoubtPolicy
from smsflow_provider.core.delivery.outlet import Outlet
from smsflow_provider.core.delivery.reconcile import can_be_asked, reconcile_delivery
from smsflow_provider.core.delivery.waves import sending_of
from smsflow_provider.core.store.again import again_by_policy
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, read_figures

#: Seconds for which a delivery with nothing left to send waits for answers about its doubts. Then
#: it finishes, and maintenance goes on asking.
PATIENCE_S: Final = 180.0
#: Seconds between two looks at the most: receipts end doubts meanwhile.
_LONGEST_WAIT_S: Final = 2.0


class Resolver:
    """
    Ends the doubts of one delivery that has nothing left to send. For one event loop.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        outlets: Sequence[Outlet],
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._outlets = [one for one in outlets if can_be_asked(one.gateway.dialect)]
        self._sending = sending_of(delivery)
        self._patience_s = patience_s
        self._clock = clock
        self._began: float | None = None
        self._not_before = 0.0

    async def resolve(self) -> bool:
        """
        Try once. Call it again later while it says False.

        Returns:
            True: no doubt is left, or waiting longer would not end what is left.
        """
        now = self._clock()
        if now < self._not_before:
            return False
        self._began = self._began or now
        if not await asyncio.to_thread(self._doubts):
            self._began = None
            return True
        waits = [*await self._ask(now), *await asyncio.to_thread(self._again)]
        self._not_before = now + min([*waits, _LONGEST_WAIT_S])
        return not waits

    def _doubts(self) -> int:
        return read_figures(self._store, self._delivery)["unknown"]

    async def _ask(self, now: float) -> list[float]:
        """Ask each gateway that can be asked. Seconds after which to ask once more, if any."""
        waits = []
        for outlet in self._outlets:
            found = await reconcile_delivery(
                self._store, self._delivery, outlet.gateway, route=outlet.route
            )
            if found.again_in_s is not None:
                waits.append(max(found.again_in_s, 0.5))
        is_patient = now - (self._began or now) < self._patience_s
        return waits if is_patient else []

    def _again(self) -> list[float]:
        """Let go again what the policy says. Seconds until the next one is old enough, if any."""
        if self._sending.doubt is not DoubtPolicy.AT_LEAST_ONCE:
            return []
        left_s = again_by_policy(
            self._store, self._delivery, older_than_s=self._sending.doubt_after_s
        )
        return [] if left_s is None else [max(left_s, 0.5)]
