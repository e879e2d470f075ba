"""
The ledger of one delivery that is being sent: lease, marks, outcomes, counters.

A message is handed over only after its mark is committed, and a mark can be made once. All that a
sender writes is fenced by the epoch of its lease: a superseded one finds out before it writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import ParamSpec, Self, TypeVar

import psycopg

from smsflow_provider.core.errors import SchemaError, SupersededError
from smsflow_provider.core.model import Encoding, OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Connection, Row, translated_errors
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.deliveries import Delivery, move_delivery, read_delivery
from smsflow_provider.core.store.reservations import settle_stopped
from smsflow_provider.core.store.statements import statements

_SQL = "ledger"
#: The lane of a lease: one sender a delivery today.
LANE = 0

#: Counters of a chunk, by the kind of outcome that adds to them.
_COUNTED = ("accepted", "failed", "unknown", "cancelled", "expired")

#: Outcomes that a receipt contradicts.
_DENIED = frozenset({OutcomeKind.NOT_SENT, OutcomeKind.FAILED, OutcomeKind.UNKNOWN})

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _retried(act: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run a whole transaction again that the server rolled back to end a deadlock."""

    @wraps(act)
    def again(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(4):
            try:
                return act(*args, **kwargs)
            except psycopg.errors.DeadlockDetected:
                continue
        return act(*args, **kwargs)

    return again


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A prepared message that the ledger hands to the sender, not yet handed to a gateway."""

    position: int
    #: 0 for the first hand-over, one more after each certain refusal to take it.
    attempt: int
    #: E.164 digits without the plus.
    phone: int = field(repr=False)
    sender: str
    body: str = field(repr=False)
    encoding: Encoding
    parts: int
    #: The recipient has opted out since the preparation.
    opted_out: bool

    @classmethod
    def from_row(cls, row: Row, attempt: int) -> Self:
        """Read one row of ``take_messages`` or ``take_again``."""
        return cls(
            position=row["position"],
            attempt=attempt,
            phone=row["phone"],
            sender=row["sender"],
            body=row["body"],
            encoding=Encoding(row["encoding"]),
            parts=row["parts"],
            opted_out=row["opted_out"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of one attempt at one message."""

    position: int
    attempt: int
    kind: OutcomeKind
    code: str = ""
    gateway_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the ledger said in one tick."""

    state: DeliveryState
    #: The validity of the delivery is over.
    expired: bool

    @property
    def may_send(self) -> bool:
        """Whether messages may leave now."""
        return self.state is DeliveryState.SENDING and not self.expired


class Ledger:
    """One owner's hold on the ledger of one delivery. Made by ``lease.claim``; not thread-safe."""

    def __init__(self, connection: Connection, delivery: Delivery, *, epoch: int) -> None:
        self._connection = connection
        self._delivery = delivery
        self._epoch = epoch
        self._sql = statements(_SQL)
        self._lane = {"delivery_no": delivery.no, "lane": LANE, "epoch": epoch}
        self._ledger = {"preparation": delivery.preparation}

    @property
    def delivery(self) -> Delivery:
        """The delivery as it was when claimed."""
        return self._delivery

    @property
    def epoch(self) -> int:
        """The epoch that fences this owner."""
        return self._epoch

    @_retried
    def begin(self, *, actor: str) -> None:
        """
        Move an approved delivery to sending and start the clock of its validity.

        Raises:
            SupersededError: It was stopped or prepared again meanwhile.
        """
        values = {**self._ledger, "delivery_no": self._delivery.no, "actor": actor}
        with translated_errors(), self._connection.transaction():
            self._hold()
            if self._connection.execute(self._sql["begin_sending"], values).fetchone() is None:
                raise SupersededError(
                    "the delivery has moved meanwhile", delivery=self._delivery.id
                )

    def settle_orphans(self) -> None:
        """Settle what a former owner marked and never settled. Runs inside ``claim``."""
        rows = self._connection.execute(self._sql["orphaned_marks"], self._ledger).fetchall()
        self._count((row["position"], row["kind"]) for row in rows)

    def waiting_again(self) -> list[tuple[int, int]]:
        """Find messages that certainly did not leave and may go again: (position, attempt)."""
        with translated_errors(), self._connection.transaction():
            return self._waiting_again()

    def _waiting_again(self) -> list[tuple[int, int]]:
        rows = self._connection.execute(self._sql["waiting_again"], self._ledger).fetchall()
        return [(row["position"], row["attempt"]) for row in rows]

    @_retried
    def standing(self) -> Standing:
        """Say "still here" and read what the delivery is allowed to do now."""
        with translated_errors(), self._connection.transaction():
            self._hold()
            return self._standing()

    @_retried
    def tick(
        self,
        *,
        settled: Sequence[Settled],
        wanted: int,
        again: Sequence[tuple[int, int]] = (),
        scopes: Sequence[str] = ("",),
    ) -> tuple[Standing, list[Taken]]:
        """
        Write what came back and mark what goes next, in one transaction.

        Args:
            settled: Results since the last tick.
            wanted: How many new messages to take, 0 or more.
            again: (position, last attempt) of messages to take once more.
            scopes: Opt-out scopes to look up.

        Returns:
            Where the delivery stands, and the messages taken: all are marked durably, except
            those that opted out since, which are settled as cancelled instead. Nothing is
            taken unless the delivery is ``sending`` and its validity is not over.

        Raises:
            SupersededError: Another owner has the lease; nothing was written.
        """
        with translated_errors(), self._connection.transaction():
            self._hold()
            self._write(settled)
            standing = self._standing()
            if not standing.may_send:
                return standing, []
            taken = self._take_again(again, scopes) + self._take_next(wanted, scopes)
            gone = [message for message in taken if message.opted_out]
            leaving = [message for message in taken if not message.opted_out]
            self._write([_cancelled(message, "opted_out") for message in gone])
            self._mark(leaving)
            return standing, leaving

    @_retried
    def close_rest(self, kind: OutcomeKind, code: str) -> None:
        """
        Settle what has not left as *kind* (cancelled or expired) with *code*.

        That is every message nobody has taken, and every one that waits for another attempt. A
        stopped delivery gives back to its budget what was not handed over.
        """
        closing = "close_chunks_expired"
        if kind is OutcomeKind.CANCELLED:
            closing = "close_chunks_cancelled"
        with translated_errors(), self._connection.transaction():
            self._hold()
            self._write(
                [
                    Settled(position=position, attempt=attempt + 1, kind=kind, code=code)
                    for position, attempt in self._waiting_again()
                ]
            )
            self._connection.execute(
                self._sql["close_rest"], {**self._ledger, "kind": kind.value, "code": code}
            )
            self._connection.execute(self._sql[closing], self._ledger)
        self._give_back()

    def _give_back(self) -> None:
        """Settle the budget of a stopped delivery; what is cut short here, maintenance does."""
        try:
            with translated_errors(), self._connection.transaction():
                settle_stopped(self._connection, self._delivery)
        except SchemaError:
            pass  # the schema of the former version: nothing was reserved yet

    @_retried
    def finish(self, *, actor: str) -> bool:
        """
        Move a delivery that is sending to finished.

        Returns:
            False if it is not sending any more (paused or stopped meanwhile), or if there are
            messages that nobody has taken.
        """
        with translated_errors(), self._connection.transaction():
            self._hold()
            delivery = read_delivery(self._connection, self._delivery.id, lock=True)
            if delivery.state is not DeliveryState.SENDING or self._open_chunk() is not None:
                return False
            move_delivery(self._connection, delivery, DeliveryState.FINISHED, actor=actor)
        return True

    def release(self) -> None:
        """Give the lease back and close the connection. Also after an error; never raises."""
        try:
            with self._connection.transaction():
                self._connection.execute(self._sql["release_lease"], self._lane)
        except Exception:  # noqa: BLE001, S110  the lease runs out by itself
            pass
        self._connection.close()

    def _hold(self) -> None:
        if self._connection.execute(self._sql["hold_lease"], self._lane).fetchone() is None:
            raise SupersededError("another sender owns this delivery", delivery=self._delivery.id)

    def _standing(self) -> Standing:
        row = self._connection.execute(
            self._sql["delivery_state"], {"delivery_no": self._delivery.no}
        ).fetchone()
        if row is None or row["preparation"] != self._delivery.preparation:
            raise SupersededError(
                "the delivery is gone or was prepared again", delivery=self._delivery.id
            )
        return Standing(state=DeliveryState(row["state"]), expired=bool(row["expired"]))

    def _take_again(self, again: Sequence[tuple[int, int]], scopes: Sequence[str]) -> list[Taken]:
        if not again:
            return []
        attempts = dict(again)
        rows = self._connection.execute(
            self._sql["take_again"],
            {**self._ledger, "positions": list(attempts), "scopes": list(scopes)},
        ).fetchall()
        return [Taken.from_row(row, attempts[row["position"]] + 1) for row in rows]

    def _take_next(self, wanted: int, scopes: Sequence[str]) -> list[Taken]:
        """Take from one chunk; the rest of *wanted* comes with the next tick."""
        if wanted <= 0:
            return []
        chunk = self._open_chunk()
        if chunk is None:
            return []
        last = min(chunk["next_position"] + wanted - 1, chunk["last_position"])
        rows = self._connection.execute(
            self._sql["take_messages"],
            {
                **self._ledger,
                "first": chunk["next_position"],
                "last": last,
                "scopes": list(scopes),
            },
        ).fetchall()
        self._connection.execute(
            self._sql["advance_chunk"],
            {**self._ledger, "chunk": chunk["chunk"], "next_position": last + 1},
        )
        return [Taken.from_row(row, 0) for row in rows]

    def _open_chunk(self) -> Row | None:
        return self._connection.execute(self._sql["open_chunk"], self._ledger).fetchone()

    def _mark(self, messages: Sequence[Taken]) -> None:
        if messages:
            self._connection.execute(
                self._sql["write_marks"],
                {
                    **self._ledger,
                    "epoch": self._epoch,
                    "positions": [message.position for message in messages],
                    "attempts": [message.attempt for message in messages],
                },
            )

    def _write(self, settled: Sequence[Settled]) -> None:
        if not settled:
            return
        settled = self._corrected(settled)
        self._connection.execute(
            self._sql["write_outcomes"],
            {
                **self._ledger,
                "positions": [one.position for one in settled],
                "attempts": [one.attempt for one in settled],
                "kinds": [one.kind.value for one in settled],
                "codes": [one.code for one in settled],
                "gateway_refs": [one.gateway_ref for one in settled],
            },
        )
        self._count((one.position, one.kind.value) for one in settled)

    def _corrected(self, settled: Sequence[Settled]) -> list[Settled]:
        """Believe a receipt more than an answer: what was reported on has left."""
        doubted = [one.position for one in settled if one.kind in _DENIED]
        if not doubted:
            return list(settled)
        rows = self._connection.execute(
            self._sql["reported"], {**self._ledger, "positions": doubted}
        )
        left = {row["position"] for row in rows}
        return [
            replace(one, kind=OutcomeKind.ACCEPTED, code="by_receipt")
            if one.kind in _DENIED and one.position in left
            else one
            for one in settled
        ]

    def _count(self, settled: Iterable[tuple[int, str]]) -> None:
        """Add outcomes to the counters of their chunks, in the order of the chunks."""
        sums: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED, 0))
        for position, kind in settled:
            if kind in _COUNTED:
                sums[chunk_of(position)][kind] += 1
        for chunk in sorted(sums):
            add_to_chunk(self._connection, self._delivery.preparation, chunk, sums[chunk])


def _cancelled(message: Taken, code: str) -> Settled:
    return Settled(
        position=message.position,
        attempt=message.attempt,
        kind=OutcomeKind.CANCELLED,
        code=code,
    )
