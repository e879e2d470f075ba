"""Asking a gateway for receipts that it does not bring."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.incoming import receipt_to_store
from smsflow_provider.core.gateways.base import Feature, Gateway, Page, Poll
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.cursors import move_cursor, read_cursor
from smsflow_provider.core.store.receipts import ReceivedReceipt, append_receipts

#: Pages of one poll; the rest comes with the next one.
PAGE_LIMIT: Final = 100
_NAME: Final = "receipts"


async def poll_once(
    store: Store,
    gateway_conn_id: str,
    gateway: Gateway,
    *,
    now: Callable[[], datetime] = utc_now,
) -> int:
    """
    Ask *gateway* for what came since the last poll, and store it as receipts that came in.

    Each page is stored in one transaction with the cursor that it moves. A poll that is cut short
    or meets another one at the same time brings the same receipts again, which changes nothing;
    none is passed over. They are applied as those of the receiver are.

    Args:
        store: Where receipts and cursor are kept.
        gateway_conn_id: The connection of *gateway*.
        gateway: An open one. Without ``Feature.POLL`` nothing is asked.

    Returns:
        How many receipts were stored.

    Raises:
        GatewayError: No answer, or one that cannot be read; what came before it is stored.
    """
    dialect = gateway.dialect
    if Feature.POLL not in dialect.features or not isinstance(dialect, Poll):
        return 0
    cursor = await asyncio.to_thread(read_cursor, store, gateway_conn_id, _NAME)
    total = 0
    for _ in range(PAGE_LIMIT):
        page = dialect.read_poll(cursor, await gateway.ask(dialect.write_poll(cursor)))
        received = _receipts_of(page, conn_type=dialect.name, gateway=gateway_conn_id, now=now())
        is_moved = await asyncio.to_thread(
            _store, store, gateway_conn_id, received, before=cursor, page=page
        )
        if not is_moved:
            return total
        total += len(received)
        if not page.has_more or page.cursor == cursor:
            return total
        cursor = page.cursor
    return total


def _store(
    store: Store, gateway: str, received: list[ReceivedReceipt], *, before: str, page: Page
) -> bool:
    """Store a page and move the cursor. False: another poll has moved it; nothing is stored."""
    with store.transaction() as connection:
        if not move_cursor(connection, gateway, _NAME, before=before, after=page.cursor):
            return False
        append_receipts(connection, received)
    return True


def _receipts_of(
    page: Page, *, conn_type: str, gateway: str, now: datetime
) -> list[ReceivedReceipt]:
    """Make rows of a page. One that names no message is left out: it would come again for ever."""
    found = []
    for one in page.receipts:
        with contextlib.suppress(ValueError):
            found.append(
                receipt_to_store(one, conn_type=conn_type, gateway=gateway, received_at=now)
            )
    return found
