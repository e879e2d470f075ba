"""What one tick adds to the counters of chunks, and to a worker's hold on them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.counters import chunk_of
from smsflow_provider.core.store.ledger_rows import Settled, Taken

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

    def take(self, one: Taken, *, is_gone: bool) -> None:
        """Count a message that leaves, or that must not and is settled already."""
        chunk = chunk_of(one.position)
        if not is_gone:
            self.holds[chunk]["under_way"] += 1
        if one.attempt:
            self.chunks[chunk]["waiting"] -= 1
            self.holds[chunk]["waiting"] -= 1
        else:
            self.holds[chunk]["ahead"] -= 1
            self.next_positions[chunk] = one.position + 1
