"""What a sender works with beside the ledger: pace, circuits, and whoever watches over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from smsflow_provider.core.delivery.circuit import Circuit
from smsflow_provider.core.delivery.doubt import Resolver
from smsflow_provider.core.delivery.governor import Governor, pause_for_cap
from smsflow_provider.core.delivery.outlet import Breaker, GatewayLimits, Outlet, Pace
from smsflow_provider.core.delivery.pace import make_pacer
from smsflow_provider.core.delivery.switch import pause_if_off
from smsflow_provider.core.delivery.watch import Watch
from smsflow_provider.core.delivery.waves import sending_of
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.daily import DailyCap
from smsflow_provider.core.store.deliveries import Delivery


class Outfit:
    """Makes the real ones. Another one can be handed to a sender in tests."""

    def pace(self, store: Store, delivery: Delivery, conn_id: str, limits: GatewayLimits) -> Pace:
        """Make the pace of *delivery* through one connection."""
        sending = sending_of(delivery)
        return make_pacer(
            store,
            gateway=conn_id,
            delivery=delivery,
            account_parts_per_s=limits.parts_per_s,
            sender_parts_per_s=limits.sender_parts_per_s,
            priority=sending.priority,
            spread=sending.spread,
        )

    def breaker(self, store: Store, delivery: Delivery, conn_id: str) -> Breaker:
        """Make the circuit breaker of one connection, as *delivery* tells of it."""
        return Circuit(store, conn_id, delivery=delivery)

    @contextmanager
    def watch(
        self,
        store: Store,
        delivery: Delivery,
        outlets: Sequence[Outlet],
        *,
        owner: str,
        daily_cap: int,
    ) -> Iterator[Watch]:
        """Watch over *delivery* for as long as the block runs."""
        governor = Governor(store, delivery, sending_of(delivery), owner)
        cap = DailyCap(store, daily_cap)

        def take_parts(wanted: int) -> int:
            granted = cap.take(wanted)
            if granted < wanted:
                pause_for_cap(store, delivery.id, limit=daily_cap, actor=owner)
            return granted

        try:
            yield Watch(
                look=governor.look,
                take_parts=take_parts if daily_cap else lambda parts: parts,
                put_parts_back=cap.put_back if daily_cap else lambda _: None,
                switched_off=lambda: pause_if_off(store, delivery.id, actor=owner),
                resolve=Resolver(store, delivery, outlets).resolve,
            )
        finally:
            governor.close()
            cap.give_back()
