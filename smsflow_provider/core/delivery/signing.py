"""The signer of one store, with the keys that the store holds now."""

from __future__ import annotations

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.keys import CALLBACK, INBOUND, read_keys_in


def read_signer(store: Store) -> Signer:
    """
    Make the signer of *store*; make it anew every few minutes in what runs for long.

    Raises:
        ConfigError: The store has no key; ``smsflow keys rotate`` makes one.
    """
    with store.transaction() as connection:
        return Signer(
            read_keys_in(connection, CALLBACK), inbound_keys=read_keys_in(connection, INBOUND)
        )
