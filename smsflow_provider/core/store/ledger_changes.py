"""What one tick adds to the counters of chunks, and to a worker's hold on them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.counters import COUNTERS, chunk_of
from smsflow_provider.core.store.ledger_rows import ChunkHold, Settled, Taken
from smsflow_provider.core.store.statements import statements

#: The counter that an outcome adds to.
COUNTER_OF: Final = {kind: kind.value for kind in OutcomeKind} | {OutcomeKind.NOT_SENT: "waiting"}


class Changes:
    """What one tick adds to each chunk, and to this worker's hold on it."""

    def __init__(self) -> None:
        #: Changes of counters, and of the hold, by chunk.
        self.chunks: dict[int, Counter[str]] = defaultdict(Counter)
        self.holds: dict[int, Counter[str]] = defaultdict(Counter)
        #: How far each chunk is taken, where that changes.
        self.next_positions: dict[int, int] = {}

    def settle(self, settled: Iterable[Settled]) -> None:
        """Count outcomes."""
        alike = Counter(
            [(chunk_of(one.position), str(one.kind), one.was_marked) for one in settled]
        )
        for (chunk, kind, was_marked), count in alike.items():
            self.chunks[chunk][COUNTER_OF[OutcomeKind(kind)]] += count
            if was_marked:
                self.holds[chunk]["under_way"] -= count
            if kind == OutcomeKind.NOT_SENT:
                self.holds[chunk]["waiting"] += count

    def take(self, leaving: Sequence[Taken], *, gone: Container[int]) -> None:
        """Count messages that leave, or must not and are settled already: positions of *gone*."""
        alike = Counter(
            [(chunk_of(one.position), one.attempt > 0, one.position in gone) for one in leaving]
        )
        for (chunk, is_again, is_gone), count in alike.items():
            hold = self.holds[chunk]
            hold["waiting" if is_again else "ahead"] -= count
            if is_again:
                self.chunks[chunk]["waiting"] -= count
            if not is_gone:
                hold["under_way"] += count
        # In order, so that the last one of a chunk says how far it is taken.
        self.next_positions |= {
            chunk_of(one.position): one.position + 1 for one in leaving if not one.attempt
        }

    def held(self, before: Mapping[int, ChunkHold]) -> dict[int, ChunkHold]:
        """Add what changed to the chunks this worker held *before*; those that are done too."""
        return dict(before) | {
            chunk: before[chunk].changed(self.holds[chunk]) for chunk in self._touched()
        }

    def write(
        self, connection: Connection, values: Mapping[str, int], *, freed: Container[int]
    ) -> bool:
        """
        Add to the counters of chunks, in their order, in one round trip.

        Args:
            values: The ``preparation``, and the ``epoch`` under which the chunks are held.
            freed: Chunks to give back.

        Returns:
            False: somebody else holds one of them; what was written must be rolled back.
        """
        sql = statements("ledger")["move_chunk"]
        with connection.pipeline():
            moved = [
                connection.execute(
                    sql,
                    {
                        **values,
                        **{name: self.chunks[chunk][name] for name in COUNTERS},
                        "chunk": chunk,
                        "next_position": self.next_positions.get(chunk, 0),
                        "is_free": chunk in freed,
                    },
                )
                for chunk in self._touched()
            ]
        return all(one.fetchone() is not None for one in moved)

    def _touched(self) -> list[int]:
        return sorted(self.holds | self.chunks)
