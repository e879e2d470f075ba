"""The content that was approved is looked at once more, in the store, before it leaves."""

from __future__ import annotations

from smsflow_provider.core.fingerprint import MessageDigest
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.lease import digest_messages
from tests.prepared_delivery import make_prepared

_TEXTS = ["", "|", "1|2", "a\nb\tc\\d", "Où ? €", "😀👨‍👩‍👧", "e\u0301", "\u200f", "'); --"]


def test_the_store_writes_messages_as_the_digest_reads_them(store: Store) -> None:
    make_prepared(store, count=1)
    delivery = find_delivery(store, "d1")
    rows = [
        (n, 33600000000 + n, f"{text}|{n}", text[:3], text, "ucs2", 1, "FR")
        for n, text in enumerate(_TEXTS, start=2)
    ]
    whole = MessageDigest()
    whole.add(row[:7] for row in rows)
    with store.transaction() as connection:
        connection.execute("DELETE FROM smsflow_messages")
        with connection.cursor().copy(
            "COPY smsflow_messages (preparation, position, phone, recipient_id, sender, body,"
            " encoding, parts, region) FROM STDIN"
        ) as copy:
            for row in rows:
                copy.write_row((delivery.preparation, *row))

    assert whole.hexdigest() == digest_messages(store, delivery)
