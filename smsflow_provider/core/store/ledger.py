"""
The ledger of one delivery as one worker sees it: lane, chunks, marks, outcomes, counters.

A message is handed over only after its mark is committed, and a mark can be made once. All that a
worker writes is fenced by the epoch of its lane: a superseded one finds out before it writes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from smsflow_provider.core.errors import SupersededError
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.appending import append_marks, append_outcomes
from smsflow_provider.core.store.connection import Connection, Row, translated_errors
from smsflow_provider.core.store.deadlock import retrying
from smsflow_provider.core.store.deliveries import Delivery, move_delivery, read_delivery
from smsflow_provider.core.store.ledger_changes import Changes
from smsflow_provider.core.store.ledger_closing import close_chunks
from smsflow_provider.core.store.ledger_notes import note_settled
from smsflow_provider.core.store.ledger_reading import read_fresh, read_waiting
from smsflow_provider.core.store.ledger_rows import (
    ChunkHold,
    Route,
    Settled,
    Standing,
    Taken,
    Ticked,
    check_wave,
)
from smsflow_provider.core.store.orphans import reap
from smsflow_provider.core.store.reservations import settle_stopped
from smsflow_provider.core.store.round_trips import one_transaction
from smsflow_provider.core.store.statements import statements
from smsflow_provider.core.store.suppressed import suppressed
from smsflow_provider.core.store.switch import hold_switch, pause_by_switch

#: Seconds between two signs of life at the gate, which senders of the former version look at.
_GATE_S: Final = 1.0
#: Outcomes that a receipt contradicts. No set: the hash of an enum costs more than to compare.
_DENIED: Final = (OutcomeKind.NOT_SENT, OutcomeKind.FAILED, OutcomeKind.UNKNOWN)


class Ledger:
    """One worker's hold on the ledger of one delivery. Made by ``lease.claim``; not thread-safe."""

    def __init__(
        self, connection: Connection, delivery: Delivery, *, lane: int, epoch: int, gate: str
    ) -> None:
        self._connection = connection
        self._delivery = delivery
        self._epoch = epoch
        self._sql = statements("ledger")
        self._lane = {"delivery_no": delivery.no, "lane": lane, "epoch": epoch, "gate": gate}
        self._ledger = {"preparation": delivery.preparation}
        self._gate_at = time.monotonic()
        self._chunks: dict[int, ChunkHold] = {}
        self._last_chunk = -1
        #: The delivery's gateways, its own first; whoever sends through them says it.
        self.routes: Sequence[Route] = ()

    @property
    def delivery(self) -> Delivery:
        """The delivery as it was when claimed."""
        return self._delivery

    @property
    def epoch(self) -> int:
        """The epoch that fences this worker."""
        return self._epoch

    @retrying
    def may_begin(self, *, lease_s: float) -> bool:
        """Whether this worker looks at the content: the first of those alive does."""
        with translated_errors(), self._connection.transaction():
            self._hold()
            reap(self._connection, self._delivery, lease_s=lease_s)
            row = self._connection.execute(self._sql["first_epoch"], self._lane).fetchone()
        return bool(row and row["epoch"] == self._epoch)

    @retrying
    def begin(self, *, actor: str, wave_until: int | None = None) -> None:
        """
        Move an approved delivery to sending and start the clock of its validity.

        While everything is switched off it is paused at once: a person lets it go on.

        Args:
            wave_until: Last position of the first wave; None: there are no waves.

        Raises:
            SupersededError: It was stopped or prepared again meanwhile.
        """
        values = {
            **self._ledger,
            "delivery_no": self._delivery.no,
            "actor": actor,
            "wave_until": wave_until,
        }
        with translated_errors(), self._connection.transaction():
            switch = hold_switch(self._connection)
            self._hold()
            if self._connection.execute(self._sql["begin_sending"], values).fetchone() is None:
                raise SupersededError(
                    "the delivery has moved meanwhile", delivery=self._delivery.id
                )
            if switch.is_off:
                begun = read_delivery(self._connection, self._delivery.id, lock=True)
                pause_by_switch(self._connection, begun, switch, actor=actor)

    @retrying
    def standing(self) -> Standing:
        """Say "still here" and read what the delivery is allowed to do now."""
        with translated_errors(), self._connection.transaction():
            return self._held_standing()

    @retrying
    def lease_chunk(self, *, until: int | None) -> tuple[list[Taken], list[Taken]] | None:
        """
        Take a chunk that nobody holds, and read its messages.

        Args:
            until: Last position that may leave now. None: all may.

        Returns:
            Messages nobody has taken, in order; and those that certainly did not leave and go
            once more. None: there is no such chunk.

        Raises:
            SupersededError: Another worker has this lane; nothing was taken.
        """
        with one_transaction(self._connection):
            chunk = self._next_chunk(until)
            if chunk is None:
                return None
            last = min(chunk["last_position"], until or chunk["last_position"])
            preparation = self._delivery.preparation
            fresh = read_fresh(
                self._connection, preparation, first=chunk["next_position"], last=last
            )
            again = []
            if chunk["waiting"]:
                again = read_waiting(self._connection, preparation, [chunk["chunk"]])
        self._last_chunk = chunk["chunk"]
        self._chunks[chunk["chunk"]] = ChunkHold(ahead=len(fresh), waiting=len(again))
        return fresh, again

    @retrying
    def tick(
        self,
        *,
        settled: Sequence[Settled],
        leaving: Sequence[tuple[Taken, int]] = (),
        scopes: Sequence[str] = (),
        is_campaign: bool = True,
    ) -> Ticked:
        """
        Write what came back and mark what goes next, in one transaction.

        Args:
            settled: Results since the last tick.
            leaving: Messages of leased chunks that go next, with the route they take. Those
                never taken before must be the next ones of their chunk, in order.
            scopes: Opt-out scopes to look up. None: nobody is looked up.
            is_campaign: Quarantined numbers get nothing either.

        Returns:
            Where the delivery stands, and the messages of *leaving* that must not leave: people
            who opted out or were quarantined since the preparation, settled as cancelled, and
            messages that a receipt says have left. All others are marked durably, unless the
            delivery may not send now: then nothing is.

        Raises:
            SupersededError: Another worker has this lane; nothing was written.
        """
        changes = Changes()
        with one_transaction(self._connection):
            standing = self._held_standing()
            proven = self._write(settled, changes)
            gone: list[Settled] = []
            if proven:
                leaving = [one for one in leaving if one[0].position not in proven]
            if standing.may_send and leaving:
                check_wave(leaving, standing.wave_until)
                gone = self._proven(leaving)
                gone += self._suppressed(leaving, gone, scopes, is_campaign=is_campaign)
                self._write(gone, changes)
                self._mark(leaving, {one.position for one in gone}, changes)
            holds = self._move_chunks(changes)
            note_settled(self._connection, self._delivery.preparation, self.routes, settled)
        self._chunks = holds
        return Ticked(standing=standing, gone=gone, proven=proven)

    @retrying
    def close_rest(self, kind: OutcomeKind, code: str) -> None:
        """
        Settle what has not left as *kind* (cancelled or expired) with *code*.

        That is every message of this worker's chunks, and of those nobody holds, that has not
        left or waits for another attempt. Nothing of this worker may be under way. A stopped
        delivery gives back to its budget what was not handed over.
        """
        with translated_errors(), self._connection.transaction():
            self._hold()
            close_chunks(
                self._connection,
                self._delivery.preparation,
                epoch=self._epoch,
                held=list(self._chunks),
                kind=kind,
                code=code,
            )
        self._chunks = {}
        # Apart: what is cut short here, maintenance does.
        with translated_errors(), self._connection.transaction():
            settle_stopped(self._connection, self._delivery)

    @retrying
    def give_chunks_back(self) -> None:
        """Let others have the chunks of this worker. Nothing of it may be under way."""
        with translated_errors(), self._connection.transaction():
            self._hold()
            self._connection.execute(
                self._sql["free_chunks"], {**self._ledger, "chunks": list(self._chunks)}
            )
        self._chunks = {}

    @retrying
    def reap(self, *, lease_s: float) -> int:
        """Settle what workers left that were silent for more than *lease_s*; free their chunks."""
        with translated_errors(), self._connection.transaction():
            self._hold()
            return reap(self._connection, self._delivery, lease_s=lease_s)

    @retrying
    def is_settled(self) -> bool:
        """Whether nothing is left to leave or under way, of all workers."""
        with translated_errors(), self._connection.transaction():
            return self._is_settled()

    def _is_settled(self) -> bool:
        row = self._connection.execute(self._sql["work_left"], self._ledger).fetchone()
        return row is None or row["chunks"] == 0

    @retrying
    def finish(self, *, actor: str) -> bool:
        """
        Move a delivery that is sending to finished.

        Returns:
            False if it is not sending any more (paused, stopped or finished meanwhile), or if
            something is left or under way.
        """
        with translated_errors(), self._connection.transaction():
            self._hold()
            delivery = read_delivery(self._connection, self._delivery.id, lock=True)
            if delivery.state is not DeliveryState.SENDING or not self._is_settled():
                return False
            move_delivery(self._connection, delivery, DeliveryState.FINISHED, actor=actor)
        return True

    def release(self) -> None:
        """Give the lane back and close the connection. Also after an error; never raises."""
        is_clean = not any(hold.under_way for hold in self._chunks.values())
        try:
            with self._connection.transaction():
                if is_clean:
                    self._connection.execute(
                        self._sql["free_chunks"], {**self._ledger, "chunks": list(self._chunks)}
                    )
                ended = self._sql["release_lease" if is_clean else "abandon_lease"]
                self._connection.execute(ended, self._lane)
        except Exception:  # noqa: BLE001, S110  the lease runs out by itself
            pass
        self._connection.close()

    def _hold(
        self, name: str = "", values: Mapping[str, Any] | None = None, *, is_durable: bool = True
    ) -> Row | None:
        """
        Say "still here", lock the lane, and run the statement *name* behind it, in one round trip.

        Args:
            is_durable: False: the transaction is durable with the next one that is, not before.

        Returns:
            The first row of that statement.

        Raises:
            SupersededError: What the statement did must be rolled back.
        """
        now = time.monotonic()
        is_due = now - self._gate_at > _GATE_S
        asked = None
        with self._connection.pipeline():
            held = [self._connection.execute(self._sql["hold_lease"], self._lane)]
            if is_due:
                held.append(self._connection.execute(self._sql["keep_gate"], self._lane))
            if not is_durable:
                self._connection.execute(self._sql["commit_later"])
            if name:
                asked = self._connection.execute(self._sql[name], values)
        if any(one.fetchone() is None for one in held):
            raise SupersededError("another sender owns this work", delivery=self._delivery.id)
        self._gate_at = now if is_due else self._gate_at
        return asked.fetchone() if asked is not None else None

    def _held_standing(self) -> Standing:
        row = self._hold("delivery_state", {"delivery_no": self._delivery.no})
        if row is None or row["preparation"] != self._delivery.preparation:
            raise SupersededError(
                "the delivery is gone or was prepared again", delivery=self._delivery.id
            )
        return Standing(
            state=DeliveryState(row["state"]),
            expired=bool(row["expired"]),
            is_off=bool(row["is_off"]),
            wave_until=row["wave_until"],
            workers=max(1, row["workers"]),
        )

    def _next_chunk(self, until: int | None) -> Row | None:
        values = {**self._ledger, "epoch": self._epoch, "until": until}
        # A mark is durable only with all that was committed before it, so with this.
        after = {**values, "after": self._last_chunk}
        row = self._hold("lease_chunk", after, is_durable=False)
        if row is not None:
            return row
        return self._connection.execute(
            self._sql["lease_chunk"], {**values, "after": -1}
        ).fetchone()

    def _proven(self, leaving: Sequence[tuple[Taken, int]]) -> list[Settled]:
        """Find messages that would go once more although a receipt says that they left."""
        positions = [one.position for one, _ in leaving if one.attempt]
        left = self._reported(positions) if positions else frozenset()
        return [
            one.settled(OutcomeKind.ACCEPTED, "by_receipt")
            for one, _ in leaving
            if one.position in left
        ]

    def _suppressed(
        self,
        leaving: Sequence[tuple[Taken, int]],
        gone: Sequence[Settled],
        scopes: Sequence[str],
        *,
        is_campaign: bool,
    ) -> list[Settled]:
        done = {one.position for one in gone}
        messages = [one for one, _ in leaving if one.position not in done]
        reasons = suppressed(
            self._connection,
            messages,
            scopes=scopes,
            with_quarantine=is_campaign and bool(scopes),
        )
        return [
            one.settled(OutcomeKind.CANCELLED, reasons[one.position])
            for one in messages
            if one.position in reasons
        ]

    def _mark(self, leaving: Sequence[tuple[Taken, int]], gone: set[int], changes: Changes) -> None:
        changes.take([one for one, _ in leaving], gone=gone)
        marked = [one for one in leaving if one[0].position not in gone] if gone else leaving
        append_marks(self._connection, self._delivery.preparation, self._epoch, marked)

    def _write(self, settled: Sequence[Settled], changes: Changes) -> frozenset[int]:
        """Append outcomes. Gives the positions of those that had left, against the answer."""
        if not settled:
            return frozenset()
        left = self._contradicted(settled)
        if left:
            settled = [one.proven() if one.position in left else one for one in settled]
        append_outcomes(self._connection, self._delivery.preparation, settled)
        changes.settle(settled)
        return left

    def _contradicted(self, settled: Sequence[Settled]) -> frozenset[int]:
        """Believe a receipt more than an answer: what was reported on has left."""
        doubted = [one.position for one in settled if one.kind in _DENIED]
        return self._reported(doubted) if doubted else frozenset()

    def _reported(self, positions: Sequence[int]) -> frozenset[int]:
        rows = self._connection.execute(
            self._sql["reported"], {**self._ledger, "positions": list(positions)}
        )
        return frozenset(row["position"] for row in rows)

    def _move_chunks(self, changes: Changes) -> dict[int, ChunkHold]:
        holds = changes.held(self._chunks)
        freed = [chunk for chunk, hold in holds.items() if hold.is_done]
        if not changes.write(self._connection, {**self._ledger, "epoch": self._epoch}, freed=freed):
            raise SupersededError("another sender owns this chunk", delivery=self._delivery.id)
        return {chunk: hold for chunk, hold in holds.items() if not hold.is_done}
