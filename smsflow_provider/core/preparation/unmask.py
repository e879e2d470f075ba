"""Showing whole numbers: never without a line that says who looked at which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from smsflow_provider.core.errors import ConfigError, IllegalMoveError
from smsflow_provider.core.store.archive import check_kept
from smsflow_provider.core.store.audit import write_audit
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, read_delivery
from smsflow_provider.core.store.samples import phones_at

#: Numbers shown at once.
MOST_UNMASKED: Final = 100


def unmask(
    store: Store, delivery_id: str, *, positions: Sequence[int], fingerprint: str, actor: str
) -> dict[str, Any]:
    """
    Show the numbers of some messages to *actor*, and note it: both or neither.

    Whether *actor* may is for the caller to know. What is noted are the places of the messages,
    never the numbers.

    Args:
        positions: Places in the preparation, 1 to 100 of them.
        fingerprint: Of the preparation that was looked at: in another one, other people have
            these places.

    Returns:
        ``delivery``, ``fingerprint`` and ``phones`` (``position`` and ``phone``, E.164). A place
        without a message, or of a person who was erased, is left out.

    Raises:
        NotFoundError: There is no such delivery, or its messages are archived.
        ConfigError: No place, or more than 100.
        IllegalMoveError: The delivery was prepared again, or is not prepared.
    """
    wanted = sorted(set(positions))
    if not 1 <= len(wanted) <= MOST_UNMASKED:
        raise ConfigError("1 to 100 numbers are shown at once", asked=len(wanted))
    check_kept(store, delivery_id, find_delivery(store, delivery_id).preparation)
    with store.transaction() as connection:
        # Held: what is read is of the preparation that is compared.
        delivery = read_delivery(connection, delivery_id, lock=True)
        if delivery.fingerprint is None or delivery.fingerprint != fingerprint:
            raise IllegalMoveError(
                "the delivery was prepared again: look at the new review", delivery=delivery_id
            )
        phones = phones_at(connection, delivery, wanted)
        write_audit(
            connection,
            actor=actor,
            action="unmasked",
            delivery_no=delivery.no,
            facts={"positions": [position for position, _ in phones]},
        )
    return {
        "delivery": delivery.id,
        "fingerprint": delivery.fingerprint,
        "phones": [{"position": position, "phone": f"+{phone}"} for position, phone in phones],
    }
