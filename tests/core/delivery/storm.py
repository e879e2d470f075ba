"""A delivery in a storm: random sends, refusals, lost answers, kills and receipts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.ledger_rows import Settled, Taken
from smsflow_provider.core.store.receipts import apply_receipts
from tests.core.delivery.receiving import append, die, received, take_over
from tests.sending import put_again, tick


@dataclass
class Storm:
    """A delivery under random sends, refusals, lost answers, kills and receipts."""

    store: Store
    delivery: Delivery
    ledger: Ledger
    dice: random.Random
    under_way: list[Taken] = field(default_factory=list)
    #: What goes once more, as the sliding window keeps it.
    again: list[Taken] = field(default_factory=list)
    #: Positions the gateway took, each at most once; what it reported about them.
    took: dict[int, list[ReceiptKind]] = field(default_factory=dict)

    def run(self, steps: int) -> None:
        acts = [self.take, self.take, self.settle, self.settle, self.report, self.apply, self.kill]
        weights = [4, 4, 4, 4, 5, 2, 1]
        for act in self.dice.choices(acts, weights, k=steps):
            act()
        self.settle(everything=True)
        self.ledger.close_rest(OutcomeKind.CANCELLED, "stopped")
        self.ledger.release()
        self.apply()

    def take(self) -> None:
        put_again(self.ledger, *self.again)
        self.again = []
        _, taken = tick(self.ledger, wanted=self.dice.randrange(40))
        for one in taken:
            if self.dice.random() < 0.8:
                assert one.position not in self.took
                self.took[one.position] = []
        self.under_way += taken

    def settle(self, *, everything: bool = False) -> None:
        """Let some answers come back: an honest gateway, some of whose answers are lost."""
        self.dice.shuffle(self.under_way)
        count = len(self.under_way) if everything else self.dice.randrange(30)
        back, self.under_way = self.under_way[:count], self.under_way[count:]
        settled = [(one, self._outcome(one)) for one in back]
        ticked = self.ledger.tick(settled=[outcome for _, outcome in settled])
        self.again += [
            one
            for one, outcome in settled
            if outcome.kind is OutcomeKind.NOT_SENT and one.position not in ticked.proven
        ]

    def _outcome(self, taken: Taken) -> Settled:
        if taken.position in self.took:
            kinds = [OutcomeKind.ACCEPTED] * 4 + [OutcomeKind.UNKNOWN]
        else:
            kinds = [OutcomeKind.FAILED, OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN]
        kind = self.dice.choice(kinds)
        return Settled(position=taken.position, attempt=taken.attempt, kind=kind)

    def report(self) -> None:
        """Let receipts come in for what the gateway took: some, twice, in any order."""
        if not self.took:
            return
        positions = self.dice.choices(sorted(self.took), k=self.dice.randrange(1, 20))
        for position in positions:
            kind = self.dice.choice(list(ReceiptKind))
            self.took[position].append(kind)
            append(self.store, received(self.delivery, position, kind))

    def apply(self) -> None:
        apply_receipts(self.store, limit=self.dice.choice([3, 5000]))

    def kill(self) -> None:
        die(self.ledger)
        self.under_way = []
        self.ledger = take_over(self.store, self.delivery.id)
        self.again = []
