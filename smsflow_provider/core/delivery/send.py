"""
Send one approved delivery: claim, check, loop, finish.

What is true after a kill at each point stands in ``docs/guarantees.md``. In short: a message is
handed over only after its mark is committed; what was marked and never settled is ``unknown``
when the next worker looks, and is never sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from smsflow_provider.core.delivery.approval import check_approved
from smsflow_provider.core.delivery.backoff import Backoff
from smsflow_provider.core.delivery.outfit import Outfit
from smsflow_provider.core.delivery.outlet import GatewayLimits, Outlet, router_of
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.waves import first_wave, sending_of
from smsflow_provider.core.delivery.window import SlidingWindow, WindowSettings
from smsflow_provider.core.errors import NotApprovedError, SendInterruptedError
from smsflow_provider.core.fingerprint import fingerprint_of
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.lease import claim, digest_messages
from smsflow_provider.core.store.ledger import Ledger

#: A worker silent for this long, in seconds, has lost its chunks to the next one.
LEASE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What a sender needs, handed in: who it is, how it reaches gateways, limits, progress."""

    #: Shown to people; not empty.
    owner: str
    #: Opens the gateway of a connection for as long as something is sent.
    open_gateway: Callable[[str], AbstractAsyncContextManager[Gateway]]
    #: The type of a connection.
    conn_type_of: Callable[[str], str]
    #: The callback address for a connection and a message id; None without a public one.
    callback_url_of: Callable[[str, str], str | None]
    #: What a connection may be asked for.
    limits_of: Callable[[str], GatewayLimits] = lambda _: GatewayLimits()
    #: Parts a UTC day over all deliveries. 0: no cap.
    daily_cap: int = 0
    #: E.164 digits that may be texted at all. None: everybody.
    allowed: frozenset[int] | None = field(default=None, repr=False)
    #: Asked between two ticks: True makes the sender end early, with everything settled.
    is_interrupted: Callable[[], bool] = lambda: False
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Called every few seconds with counts; never with a phone or a text.
    on_progress: Callable[[dict[str, int]], None] = lambda _: None
    window: WindowSettings = field(default_factory=WindowSettings)
    outfit: Outfit = field(default_factory=Outfit)
    lease_s: float = LEASE_S


async def send(store: Store, delivery_id: str, sender: Sender) -> dict[str, Any]:
    """
    Send what is left of one delivery, once each, beside up to 15 other workers.

    A finished delivery is left alone. Each worker stays until the delivery has ended, so that it
    takes over what one that is lost leaves behind.

    Returns:
        The report (see ``report``); its ``state`` is ``finished`` or ``stopped``.

    Raises:
        NotApprovedError: No valid approval of this very content; nothing was sent.
        SupersededError: Another worker took over; this one sent nothing since.
        SendInterruptedError: ``is_interrupted`` said so; the next call goes on.
        RefusedError: The gateway refuses every message; the next call goes on.
    """
    while True:
        delivery = find_delivery(store, delivery_id)
        if delivery.state is DeliveryState.FINISHED:
            return report(store, delivery_id)
        _check_state(store, delivery)
        ledger = claim(store, delivery, owner=sender.owner, lease_s=sender.lease_s)
        if ledger is not None:
            break
        await _wait(sender, delivery_id)
    try:
        await _send_claimed(store, ledger, sender)
    finally:
        ledger.release()
    return report(store, delivery_id)


async def _wait(sender: Sender, delivery_id: str, *, seconds: float = 1.0) -> None:
    if sender.is_interrupted():
        raise SendInterruptedError("told to end while waiting", delivery=delivery_id)
    await sender.sleep(seconds)


def _check_state(store: Store, delivery: Delivery) -> None:
    if delivery.state is DeliveryState.STOPPED:
        return
    with store.transaction() as connection:
        check_approved(connection, delivery)


async def _send_claimed(store: Store, ledger: Ledger, sender: Sender) -> None:
    delivery = await _begun(store, ledger, sender)
    if delivery.state is DeliveryState.FINISHED:
        return
    if delivery.dry_run:
        ledger.close_rest(OutcomeKind.CANCELLED, "dry_run")
    await _run_window(store, ledger, delivery, sender)


async def _begun(store: Store, ledger: Ledger, sender: Sender) -> Delivery:
    """Begin an approved delivery, or wait until the worker has that is looking at its content."""
    while True:
        # Read again under the lease: between the first look and the claim anything may happen.
        delivery = find_delivery(store, ledger.delivery.id)
        _check_state(store, delivery)
        if delivery.preparation != ledger.delivery.preparation:
            raise NotApprovedError("the delivery was prepared again", delivery=delivery.id)
        if delivery.state is not DeliveryState.APPROVED:
            return delivery
        if ledger.may_begin(lease_s=sender.lease_s):
            await _begin(store, ledger, sender)
        else:
            ledger.standing()
            await _wait(sender, delivery.id, seconds=min(0.2, sender.lease_s / 5))


async def _begin(store: Store, ledger: Ledger, sender: Sender) -> None:
    # Whoever held the lock before may have begun it and gone.
    delivery = find_delivery(store, ledger.delivery.id)
    if delivery.state is DeliveryState.APPROVED:
        await _check_content(store, ledger, sender)
        wave_until = first_wave(delivery.to_deliver, sending_of(delivery).waves)
        ledger.begin(actor=sender.owner, wave_until=wave_until)


async def _run_window(store: Store, ledger: Ledger, delivery: Delivery, sender: Sender) -> None:
    async with AsyncExitStack() as stack:
        outlets = await _outlets(stack, store, delivery, sender)
        watch = stack.enter_context(
            sender.outfit.watch(
                store, delivery, outlets, owner=sender.owner, daily_cap=sender.daily_cap
            )
        )
        window = SlidingWindow(
            ledger,
            outlets,
            delivery=delivery,
            route_of=router_of(outlets, sending_of(delivery).failover),
            watch=watch,
            allowed=sender.allowed,
            is_interrupted=sender.is_interrupted,
            on_progress=sender.on_progress,
            settings=replace(sender.window, lease_s=sender.lease_s),
            actor=sender.owner,
        )
        await window.run()


async def _outlets(
    stack: AsyncExitStack, store: Store, delivery: Delivery, sender: Sender
) -> list[Outlet]:
    """Open the gateway of a delivery, and the one it fails over to."""
    failover = sending_of(delivery).failover
    conn_ids = [delivery.gateway, *([failover.gateway] if failover else [])]
    outlets = []
    for route, conn_id in enumerate(conn_ids):
        gateway = await stack.enter_async_context(sender.open_gateway(conn_id))
        limits = sender.limits_of(conn_id)
        outlets.append(
            Outlet(
                route=route,
                conn_id=conn_id,
                gateway=gateway,
                conn_type=sender.conn_type_of(conn_id),
                callback_url_of=partial(sender.callback_url_of, conn_id),
                connections=limits.connections,
                pace=sender.outfit.pace(store, delivery, conn_id, limits),
                breaker=sender.outfit.breaker(store, delivery, conn_id),
                backoff=Backoff(longest_s=sender.window.longest_backoff_s),
            )
        )
    return outlets


async def _check_content(store: Store, ledger: Ledger, sender: Sender) -> None:
    """
    Compute the fingerprint again from what the store holds now; the lease is kept meanwhile.

    Raises:
        NotApprovedError: It is not the approved one: rows were changed since the review.
    """
    delivery = ledger.delivery
    digesting = asyncio.create_task(asyncio.to_thread(digest_messages, store, delivery))
    while not digesting.done():
        await asyncio.wait({digesting}, timeout=sender.lease_s / 5)
        await asyncio.to_thread(ledger.standing)
    found = fingerprint_of(
        template=delivery.template,
        settings=delivery.settings,
        audience=delivery.audience,
        excluded=delivery.figures.get("excluded", {}),
        messages=digesting.result(),
    )
    if found != delivery.fingerprint:
        raise NotApprovedError(
            "the prepared messages are not those that were approved: nothing was sent",
            delivery=delivery.id,
        )


def close_stopped(store: Store, delivery_id: str, *, actor: str, lease_s: float = LEASE_S) -> bool:
    """
    Cancel what a stopped delivery has not sent, if no sender is there to do it.

    Returns:
        False: a sender holds the delivery and will do it within a tick.
    """
    delivery = find_delivery(store, delivery_id)
    if delivery.state is not DeliveryState.STOPPED:
        return False
    ledger = claim(store, delivery, owner=actor, lease_s=lease_s, alone=True)
    if ledger is None:
        return False
    try:
        ledger.close_rest(OutcomeKind.CANCELLED, "stopped")
    finally:
        ledger.release()
    return True
