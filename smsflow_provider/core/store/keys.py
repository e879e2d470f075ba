"""
The secrets of the store itself: keys that sign the addresses at which gateways call.

Every live key verifies, one signs. A new key verifies at once and signs a little later, so that
each receiver knows it before the first call that it signed comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.statements import statements

_SQL: Final = "keys"

#: What keys are for: the addresses of receipts, one a message.
CALLBACK: Final = "callback"
#: And the addresses of replies, one a connection, which people enter at gateways by hand: a key
#: that signed them is retired only when a person says so, and has entered the new ones.
INBOUND: Final = "inbound"
#: How long a new key only verifies: longer than any receiver goes without reading keys again.
SIGNS_AFTER: Final = timedelta(minutes=10)
#: How late a receipt may come after the last moment at which its message could be delivered.
LATEST_RECEIPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What may be shown of a key: never its secret."""

    no: int
    purpose: str
    created_at: datetime
    #: When it begins to sign, or began.
    signs_from: datetime
    #: It is the one that signs now.
    is_signing: bool
    #: None: it is live.
    retired_at: datetime | None


def read_keys(store: Store, purpose: str = CALLBACK) -> list[bytes]:
    """
    Read the live keys of one purpose: the one that signs first, then the others, newest first.

    Read them again every few minutes in what runs for long, and always within ``SIGNS_AFTER``:
    a receiver that does not know a new key would turn receipts away.

    Returns:
        Secrets; empty where no key was ever made for *purpose*.
    """
    with store.transaction() as connection:
        return read_keys_in(connection, purpose)


def read_keys_in(connection: Connection, purpose: str = CALLBACK) -> list[bytes]:
    """Read keys as ``read_keys`` does, in an open transaction."""
    values = {"purpose": purpose, "now": utc_now()}
    rows = connection.execute(statements(_SQL)["live_keys"], values).fetchall()
    return [bytes(row["secret"]) for row in rows]


def list_keys(store: Store) -> list[KeyFacts]:
    """Tell of all keys, the oldest first, what may be shown."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["list_keys"], {"now": utc_now()}).fetchall()
    return [KeyFacts(**row) for row in rows]


def rotate(store: Store, purpose: str = CALLBACK, *, signs_after: timedelta = SIGNS_AFTER) -> None:
    """
    Make a new key: it verifies at once and signs after *signs_after*; the old ones still verify.

    A first key of a purpose signs at once. Two at once make two keys: the later one signs.

    Args:
        purpose: What it is for.
        signs_after: Not less than the longest time a receiver goes without reading keys.
    """
    values = {"purpose": purpose, "now": utc_now(), "signs_after": signs_after}
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["make_key"], values)


def retire(store: Store, purpose: str = CALLBACK, *, older_than: timedelta = LATEST_RECEIPT) -> int:
    """
    Retire the keys that nothing can come back for any more: they verify no longer.

    A key may be retired when another one has signed for *older_than*, and when no delivery that
    began under it is still being sent, or can still get receipts: *older_than* after its end and
    after the validity of its last message. The one that signs is never retired.

    Args:
        purpose: What they are for.
        older_than: How late a receipt may come.

    Returns:
        How many were retired.
    """
    values = {"purpose": purpose, "now": utc_now(), "older_than": older_than}
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["retire_keys"], values).rowcount
