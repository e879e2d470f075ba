"""
Send one approved delivery: claim, check, loop, finish.

What is true after a kill at each point stands in ``docs/guarantees.md``. In short: a message is
handed over only after its mark is committed; what was marked and never settled is ``unknown``
when the next sender claims the delivery, and is never sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from smsflow_provider.core.delivery.approval import check_approved
from smsflow_provider.core.delivery.report import report
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

#: A sender silent for this long, in seconds, has lost its delivery to the next one.
LEASE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What a sender needs, handed in: who it is, how it reaches the gateway, time, progress."""

    #: Shown to people; not empty.
    owner: str
    #: Opens the gateway of a delivery for as long as it is being sent.
    open_gateway: Callable[[Delivery], AbstractAsyncContextManager[Gateway]]
    #: The connection type of a delivery's gateway: it is part of the callback address.
    conn_type_of: Callable[[Delivery], str]
    #: The callback address for a connection type and a message id; None without a public one.
    callback_url_of: Callable[[str, str], str | None]
    #: E.164 digits that may be texted at all. None: everybody.
    allowed: frozenset[int] | None = field(default=None, repr=False)
    #: Asked between two ticks: True makes the sender end early, with everything settled.
    is_interrupted: Callable[[], bool] = lambda: False
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Called every few seconds with counts; never with a phone or a text.
    on_progress: Callable[[dict[str, int]], None] = lambda _: None
    #: How wide the window of a delivery is: its gateway's connections.
    window_of: Callable[[Delivery], WindowSettings] = lambda _: WindowSettings()
    lease_s: float = LEASE_S


async def send(store: Store, delivery_id: str, sender: Sender) -> dict[str, Any]:
    """
    Send what is left of one delivery, once each.

    A finished delivery is left alone. While another sender holds it, this one waits; when that
    one has been silent for ``lease_s``, this one goes on where it stood.

    Returns:
        The report (see ``report``); its ``state`` is ``finished`` or ``stopped``.

    Raises:
        NotApprovedError: No valid approval of this very content; nothing was sent.
        SupersededError: Another sender took over; this one sent nothing since.
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
        if sender.is_interrupted():
            raise SendInterruptedError("told to end while waiting", delivery=delivery_id)
        await sender.sleep(1.0)
    try:
        await _send_claimed(store, ledger, sender)
    finally:
        ledger.release()
    return report(store, delivery_id)


def _check_state(store: Store, delivery: Delivery) -> None:
    if delivery.state is DeliveryState.STOPPED:
        return
    with store.transaction() as connection:
        check_approved(connection, delivery)


async def _send_claimed(store: Store, ledger: Ledger, sender: Sender) -> None:
    # Read again under the lease: between the first look and the claim anything may have happened.
    delivery = find_delivery(store, ledger.delivery.id)
    _check_state(store, delivery)
    if delivery.preparation != ledger.delivery.preparation:
        raise NotApprovedError("the delivery was prepared again", delivery=delivery.id)
    if delivery.state is DeliveryState.FINISHED:
        return
    if delivery.state is DeliveryState.APPROVED:
        await _check_content(store, ledger, sender)
        ledger.begin(actor=sender.owner)
        delivery = find_delivery(store, delivery.id)
    if delivery.dry_run:
        ledger.close_rest(OutcomeKind.CANCELLED, "dry_run")
    await _run_window(ledger, delivery, sender)


async def _run_window(ledger: Ledger, delivery: Delivery, sender: Sender) -> None:
    async with sender.open_gateway(delivery) as gateway:
        window = SlidingWindow(
            ledger,
            gateway,
            delivery=delivery,
            callback_url_of=partial(sender.callback_url_of, sender.conn_type_of(delivery)),
            allowed=sender.allowed,
            is_interrupted=sender.is_interrupted,
            sleep=sender.sleep,
            on_progress=sender.on_progress,
            settings=sender.window_of(delivery),
            actor=sender.owner,
        )
        await window.run()


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
    ledger = claim(store, delivery, owner=actor, lease_s=lease_s)
    if ledger is None:
        return False
    try:
        ledger.close_rest(OutcomeKind.CANCELLED, "stopped")
    finally:
        ledger.release()
    return True
