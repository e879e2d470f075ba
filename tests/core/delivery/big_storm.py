"""Everything at once on one delivery: workers, kills, look-ups, policy, resend and receipts."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.errors import IllegalMoveError, SupersededError
from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.store.again import again_by_policy
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.doubts import Ending, end_doubts, read_doubts
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.ledger_rows import Settled, Taken
from smsflow_provider.core.store.receipts import apply_receipts, resolve_proven
from tests.core.delivery.counting import miscounted
from tests.core.delivery.receiving import append, die, received


def check_all_chunks(store: Store, delivery: Delivery) -> None:
    """Make sure that the counters of every chunk say what its rows say."""
    assert [] == miscounted(store, delivery)


@dataclass
class Worker:
    """One worker: what it has read ahead, what is under way, and what goes again."""

    ledger: Ledger
    ahead: list[Taken] = field(default_factory=list)
    under_way: list[Taken] = field(default_factory=list)


@dataclass
class BigStorm:
    """
    A delivery of which everything happens at once, at an honest gateway.

    The gateway takes a message or not, says so or not, reports what it took, and answers a
    question with the truth. ``handed_over`` counts what it took; ``doubted`` holds what went once
    more although nobody knew, by the policy.
    """

    store: Store
    delivery: Delivery
    dice: random.Random
    workers: list[Worker] = field(default_factory=list)
    taken: Counter[int] = field(default_factory=Counter)
    by_policy: set[int] = field(default_factory=set)
    with_policy: bool = True

    def run(self, steps: int) -> None:
        acts = {
            self.join: 3,
            self.mark: 8,
            self.settle: 8,
            self.report: 5,
            self.apply: 4,
            self.kill: 1,
            self.leave: 1,
            self.look_up: 2,
            self.go_again: 1 if self.with_policy else 0,
            self.prove: 1,
            self.end_or_resend: 2,
        }
        for act in self.dice.choices(list(acts), list(acts.values()), k=steps):
            act()
            check_all_chunks(self.store, self.delivery)
        self.end()

    def end(self) -> None:
        """Let every worker end, and whatever waits be applied."""
        while self.workers:
            self.leave()
        self.apply(everything=True)
        resolve_proven(self.store)
        check_all_chunks(self.store, self.delivery)

    def join(self) -> None:
        if len(self.workers) < 3:
            lease_s = self.dice.choice([0.0, 60.0])
            ledger = claim(self.store, self.delivery, owner="storm", lease_s=lease_s)
            if ledger is not None:
                self.workers.append(Worker(ledger))

    def _worker(self) -> Worker | None:
        return self.dice.choice(self.workers) if self.workers else None

    def mark(self) -> None:
        worker = self._worker()
        if worker is None:
            return
        try:
            wanted = self.dice.randrange(60)
            while len(worker.ahead) < wanted and (got := worker.ledger.lease_chunk(until=None)):
                worker.ahead += [*(one.again() for one in got[1]), *got[0]]
            leaving, worker.ahead = worker.ahead[:wanted], worker.ahead[wanted:]
            ticked = worker.ledger.tick(settled=[], leaving=[(one, 0) for one in leaving])
        except SupersededError:
            self._lost(worker)
            return
        if not ticked.standing.may_send:
            worker.ahead[:0] = leaving
            return
        gone = {one.position for one in ticked.gone}
        for one in leaving:
            if one.position not in gone:
                worker.under_way.append(one)
                self._hand_over(one)

    def _hand_over(self, one: Taken) -> None:
        if self.dice.random() < 0.6:
            self.taken[one.position] += 1
            limit = 3 if one.position in self.by_policy else 1
            assert self.taken[one.position] <= limit, "handed over twice"

    def settle(self) -> None:
        worker = self._worker()
        if worker is None:
            return
        count = self.dice.randrange(60)
        self.dice.shuffle(worker.under_way)
        back, worker.under_way = worker.under_way[:count], worker.under_way[count:]
        settled = [self._outcome(one) for one in back]
        try:
            ticked = worker.ledger.tick(settled=settled)
        except SupersededError:
            self._lost(worker)
            return
        worker.ahead += [
            one.again()
            for one, outcome in zip(back, settled, strict=True)
            if outcome.kind is OutcomeKind.NOT_SENT and one.position not in ticked.proven
        ]

    def _outcome(self, one: Taken) -> Settled:
        is_taken = self.taken[one.position] > 0
        kinds = [OutcomeKind.ACCEPTED, OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN]
        if not is_taken:
            kinds = [OutcomeKind.FAILED, OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN]
        return Settled(position=one.position, attempt=one.attempt, kind=self.dice.choice(kinds))

    def _lost(self, worker: Worker) -> None:
        die(worker.ledger)
        self.workers.remove(worker)

    def kill(self) -> None:
        worker = self._worker()
        if worker is not None:
            self._lost(worker)

    def leave(self) -> None:
        worker = self._worker()
        if worker is not None:
            worker.ledger.release()
            self.workers.remove(worker)

    def report(self) -> None:
        if self.taken:
            for position in self.dice.choices(sorted(+self.taken), k=self.dice.randrange(30)):
                kind = self.dice.choice(list(ReceiptKind))
                append(self.store, received(self.delivery, position, kind))

    def apply(self, *, everything: bool = False) -> None:
        limit = 5000 if everything else self.dice.choice([7, 5000])
        apply_receipts(self.store, limit=limit)

    def prove(self) -> None:
        resolve_proven(self.store)

    def look_up(self) -> None:
        doubts = read_doubts(self.store, self.delivery, limit=self.dice.randrange(1, 50))
        endings = [
            Ending(
                position=one.position,
                attempt=one.attempt,
                is_taken=self.taken[one.position] > 0,
                gateway_ref=f"r{one.position}",
            )
            for one in doubts
            # A sender that was lost may still be at it: nobody believes the gateway so soon.
            if self.taken[one.position] > 0 or one.code != "sender_lost"
        ]
        likeness = self.dice.random() < 0.5
        end_doubts(self.store, self.delivery, endings, is_by_likeness=likeness)

    def go_again(self) -> None:
        doubts = read_doubts(self.store, self.delivery, limit=100_000)
        self.by_policy |= {one.position for one in doubts}
        again_by_policy(self.store, self.delivery, older_than_s=0)

    def end_or_resend(self) -> None:
        worker = self._worker()
        try:
            if worker is not None and not worker.ahead and not worker.under_way:
                worker.ledger.finish(actor="storm")
            kinds = frozenset({OutcomeKind.FAILED, OutcomeKind.EXPIRED})
            resend(self.store, self.delivery.id, kinds=kinds, actor="storm")
        except SupersededError:
            if worker is not None:
                self._lost(worker)
        except IllegalMoveError:
            pass
