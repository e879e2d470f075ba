"""Messages in doubt: handed over, and nobody knows whether the gateway took them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from smsflow_provider.core.model import Encoding, OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.deadlock import retried
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.found_refs import ids_of_others
from smsflow_provider.core.store.receipts import ReceivedReceipt, append_receipts
from smsflow_provider.core.store.references import add_references
from smsflow_provider.core.store.statements import statements

_SQL = "doubts"
#: Messages of such a delivery may still leave.
_LIVE = frozenset({DeliveryState.SENDING, DeliveryState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One message whose last attempt is ``unknown``."""

    position: int
    attempt: int
    #: Why nobody knows: ``timeout``, ``reset``, ``sender_lost``, ``http_503``, …
    code: str
    #: When the intent was written: the hand-over was at this time or later.
    marked_at: datetime
    #: When it was given up: nothing of this attempt is done by us after that.
    settled_at: datetime
    #: The store's clock when this was read.
    read_at: datetime
    #: Which of the delivery's gateways: 0 its own, 1 the one it fails over to.
    route: int
    recipient_id: str
    #: E.164 digits without the plus.
    phone: int = field(repr=False)
    sender: str
    body: str = field(repr=False)
    encoding: Encoding
    parts: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read one row of ``read_doubts``."""
        return cls(**{**row, "encoding": Encoding(row["encoding"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one doubt ends."""

    position: int
    attempt: int
    #: False: the gateway certainly never took it.
    is_taken: bool
    gateway_ref: str = ""
    #: What the gateway has reported on it since; goes to the inbox.
    receipt: ReceivedReceipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How many doubts ended, and how."""

    taken: int = 0
    not_taken: int = 0


def read_doubts(
    store: Store, delivery: Delivery, *, route: int | None = None, after: int = 0, limit: int = 100
) -> list[Doubt]:
    """
    List the messages in doubt with a position above *after*, in order.

    Args:
        route: Only of this gateway of the delivery. None: of all.
    """
    values = {"preparation": delivery.preparation, "route": route, "after": after, "limit": limit}
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["read_doubts"], values).fetchall()
    return [Doubt.from_row(row) for row in rows]


def read_witness(
    store: Store, delivery: Delivery, *, route: int, after_s: float, until_s: float
) -> Doubt | None:
    """
    Find a message that the gateway certainly took, and that it must still know.

    Args:
        after_s: Seconds after which the gateway knows what it took.
        until_s: Seconds after which it may have forgotten.

    Returns:
        It, as if it were in doubt; None when there is none.
    """
    values = {
        "preparation": delivery.preparation,
        "route": route,
        "after_s": after_s,
        "until_s": until_s,
    }
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["read_witness"], values).fetchone()
    return None if row is None else Doubt.from_row(row)


def doubtful_deliveries(store: Store) -> list[tuple[str, int]]:
    """List the deliveries with messages in doubt, the latest first: id and how many."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["doubtful_deliveries"]).fetchall()
    return [(row["id"], row["messages"]) for row in rows]


def end_doubts(
    store: Store,
    delivery: Delivery,
    endings: Sequence[Ending],
    *,
    code: str = "not_taken",
    named_by: str = "",
    is_by_likeness: bool = False,
) -> Ended:
    """
    End doubts in one transaction, each once.

    What was taken is ``accepted`` by ``by_lookup``. What was not is ``not_sent``, and waits for
    another attempt, while the delivery is sending or paused; in one that has ended it is
    ``failed``. A message goes again twice at the most, whatever the gateway says; then it stays
    in doubt. So does one that has a receipt, applied or not. A doubt that has ended meanwhile, by
    a receipt or another look-up, or that was handed over again, stays as it is.

    Args:
        code: The reason for what was not taken.
        named_by: The connection of a gateway that reports by its own ids only: the ids of what it
            took are noted. Empty: it names ours.
        is_by_likeness: What was taken was not found by an id of ours: where the gateway's id is
            recorded for another message already, the doubt stays.
    """
    if not endings:
        return Ended()

    def act() -> Ended:
        return _end(
            store,
            delivery,
            endings,
            code=code,
            named_by=named_by,
            is_by_likeness=is_by_likeness,
        )

    return retried(act)


def _end(
    store: Store,
    delivery: Delivery,
    endings: Sequence[Ending],
    *,
    code: str,
    named_by: str,
    is_by_likeness: bool,
) -> Ended:
    with store.transaction() as connection:
        if is_by_likeness:
            others = ids_of_others(connection, delivery, [one for one in endings if one.is_taken])
            endings = [one for one in endings if one.gateway_ref not in others]
        kind = _kind_of_not_taken(connection, delivery)
        if kind is None:
            return Ended()
        chunks = sorted({chunk_of(one.position) for one in endings})
        connection.execute(
            statements(_SQL)["lock_chunks"],
            {"preparation": delivery.preparation, "chunks": chunks},
        )
        kept = [one for one in endings if one.is_taken]
        taken = _write_taken(connection, delivery, kept)
        if named_by:
            rows = [(one.gateway_ref, delivery.preparation, one.position) for one in kept]
            add_references(connection, named_by, rows)
        left = [one for one in endings if not one.is_taken]
        not_taken = _write_not_taken(connection, delivery, left, kind=kind, code=code)
        _count(connection, delivery, taken=taken, not_taken=not_taken, kind=kind)
    return Ended(taken=len(taken), not_taken=len(not_taken))


def _kind_of_not_taken(connection: Connection, delivery: Delivery) -> OutcomeKind | None:
    """Say what becomes of a message that was not taken; the delivery does not move meanwhile."""
    row = connection.execute(
        statements(_SQL)["hold_delivery"], {"delivery_no": delivery.no}
    ).fetchone()
    if row is None or row["preparation"] != delivery.preparation:
        return None
    is_live = DeliveryState(row["state"]) in _LIVE
    return OutcomeKind.NOT_SENT if is_live else OutcomeKind.FAILED


def _write_taken(
    connection: Connection, delivery: Delivery, endings: Sequence[Ending]
) -> list[int]:
    values = {
        **_columns_of(delivery, endings),
        "gateway_refs": [one.gateway_ref for one in endings],
    }
    ended = _positions(connection, "end_taken", values) if endings else []
    receipts = [one.receipt for one in endings if one.receipt is not None]
    if receipts:
        append_receipts(connection, receipts)
    return ended


def _write_not_taken(
    connection: Connection,
    delivery: Delivery,
    endings: Sequence[Ending],
    *,
    kind: OutcomeKind,
    code: str,
) -> list[int]:
    values = {**_columns_of(delivery, endings), "kind": kind.value, "code": code}
    return _positions(connection, "end_not_taken", values) if endings else []


def _columns_of(delivery: Delivery, endings: Sequence[Ending]) -> dict[str, object]:
    return {
        "preparation": delivery.preparation,
        "positions": [one.position for one in endings],
        "attempts": [one.attempt for one in endings],
    }


def _positions(connection: Connection, name: str, values: dict[str, object]) -> list[int]:
    rows = connection.execute(statements(_SQL)[name], values).fetchall()
    return [row["position"] for row in rows]


def _count(
    connection: Connection,
    delivery: Delivery,
    *,
    taken: Sequence[int],
    not_taken: Sequence[int],
    kind: OutcomeKind,
) -> None:
    """Move the counters of the chunks, in the order in which they are locked."""
    changes: dict[int, Counter[str]] = defaultdict(Counter)
    to = "waiting" if kind is OutcomeKind.NOT_SENT else kind.value
    for positions, name in ((taken, "accepted"), (not_taken, to)):
        for position in positions:
            changes[chunk_of(position)].update({name: 1, "unknown": -1})
    for chunk in sorted(changes):
        add_to_chunk(connection, delivery.preparation, chunk, changes[chunk])
