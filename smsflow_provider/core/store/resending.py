"""Messages that failed or expired, made to go again: appended, never rewritten."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Final

from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.counters import add_to_chunk
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.prepared import CHUNK_SIZE
from smsflow_provider.core.store.statements import statements

_SQL: Final = "resending"


def send_again(
    connection: Connection, delivery: Delivery, kinds: Collection[OutcomeKind]
) -> Counter[str]:
    """
    Append to the messages of *delivery* whose last outcome is one of *kinds* that they go again.

    The caller has locked the delivery, which is finished. A message with a receipt has left, and
    stays as it is.

    Args:
        kinds: ``failed``, ``expired`` or both.

    Returns:
        How many messages, by the kind they had.

    Raises:
        IllegalMoveError: The messages are archived: nobody has them any more.
    """
    sqls, about = statements(_SQL), {"preparation": delivery.preparation}
    if connection.execute(sqls["is_kept"], about).fetchone() is None:
        raise IllegalMoveError(
            "the messages of this delivery are archived: prepare another one", delivery=delivery.id
        )
    # A statement of its own: what follows sees what the receipts have written that held them.
    chunks = connection.execute(sqls["lock_all_chunks"], about).fetchall()
    rows = connection.execute(
        sqls["send_again"],
        {
            **about,
            "chunks": [row["chunk"] for row in chunks],
            "kinds": [kind.value for kind in kinds],
            "size": CHUNK_SIZE,
        },
    ).fetchall()
    changes: dict[int, Counter[str]] = defaultdict(Counter)
    moved: Counter[str] = Counter()
    for row in rows:
        changes[row["chunk"]]["waiting"] += row["messages"]
        changes[row["chunk"]][row["kind"]] -= row["messages"]
        moved[row["kind"]] += row["messages"]
    for chunk in sorted(changes):
        add_to_chunk(connection, delivery.preparation, chunk, changes[chunk])
    return moved


def reopen(connection: Connection, delivery: Delivery) -> None:
    """Start the clock of *delivery* again, which the caller has moved to sending."""
    connection.execute(statements(_SQL)["free_all_chunks"], {"preparation": delivery.preparation})
    connection.execute(statements(_SQL)["go_on"], {"delivery_no": delivery.no})
