"""Two workers in a storm: everything that may happen to a delivery at once, step by step."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from smsflow_provider.core.delivery.resend import RESENDABLE, resend
from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.store.again import again_by_policy
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.doubts import Ending, end_doubts, read_doubts
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.ledger_rows import Settled, Taken
from smsflow_provider.core.store.receipts import apply_receipts
from tests.core.delivery.counting import miscounted
from tests.core.delivery.receiving import append, die, received

#: Long after any step of a test, and long before a worker that the test has killed.
_LEASE_S = 3600.0


@dataclass
class Worker:
    """One worker as the sliding window is: what it has read, marked, and will send once more."""

    ledger: Ledger
    ahead: list[Taken] = field(default_factory=list)
    again: list[Taken] = field(default_factory=list)
    under_way: list[Taken] = field(default_factory=list)

    def next_ones(self, count: int) -> list[Taken]:
        """Take what goes next, those that go once more first; the rest in its order."""
        leaving, self.again = self.again[:count], self.again[count:]
        while len(self.ahead) < count and (leased := self.ledger.lease_chunk(until=None)):
            self.ahead += leased[0]
            self.again += leased[1]
        rest = count - len(leaving)
        leaving += self.ahead[:rest]
        self.ahead = self.ahead[rest:]
        return leaving

    def forget(self, positions: frozenset[int]) -> None:
        """Drop what a receipt has proven."""
        self.again = [one for one in self.again if one.position not in positions]


@dataclass
class Tempest:
    """A delivery of two workers; the gateway is honest, but its answers get lost."""

    store: Store
    delivery: Delivery
    dice: random.Random
    workers: list[Worker] = field(default_factory=list)
    #: How often the gateway took each position, and by which attempts.
    took: Counter[int] = field(default_factory=Counter)
    attempts: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.workers = [self._worker(), self._worker()]

    def run(self, steps: int) -> None:
        acts = {
            self.tick: 12,
            self.report: 4,
            self.apply: 2,
            self.kill: 1,
            self.again: 1,
            self.ask: 2,
        }
        for act in self.dice.choices([*acts], [*acts.values()], k=steps):
            act()
            self.check(act.__name__)

    def check(self, after: str) -> None:
        found = miscounted(self.store, self.delivery)
        assert [] == found, f"after {after}"

    def _worker(self) -> Worker:
        ledger = claim(
            self.store,
            find_delivery(self.store, self.delivery.id),
            owner="tester",
            lease_s=_LEASE_S,
        )
        assert ledger is not None
        return Worker(ledger)

    def tick(self) -> None:
        """Some answers come back, and some messages leave: in one tick."""
        self.step(self.dice.choice(self.workers), wanted=self.dice.randrange(40))

    def step(self, worker: Worker, *, wanted: int, everything: bool = False) -> None:
        self.dice.shuffle(worker.under_way)
        count = len(worker.under_way) if everything else self.dice.randrange(40)
        back, worker.under_way = worker.under_way[:count], worker.under_way[count:]
        settled = [(one, self._outcome(one)) for one in back]
        worker.again += [one.again() for one, it in settled if it.kind is OutcomeKind.NOT_SENT]
        leaving = worker.next_ones(wanted)
        ticked = worker.ledger.tick(
            settled=[it for _, it in settled], leaving=[(one, 0) for one in leaving], scopes=[""]
        )
        worker.forget(ticked.proven)
        if not ticked.standing.may_send:
            worker.again += [one for one in leaving if one.attempt]
            worker.ahead[:0] = [one for one in leaving if not one.attempt]
            return
        gone = {one.position for one in ticked.gone} | ticked.proven
        worker.under_way += [one for one in leaving if one.position not in gone]
        for one in leaving:
            if one.position not in gone and self.dice.random() < 0.7:
                self.took[one.position] += 1
                self.attempts.add((one.position, one.attempt))

    def repeated(self) -> set[int]:
        """List positions that the gateway took once more than the policy allows."""
        with self.store.transaction() as connection:
            rows = connection.execute(
                "SELECT position, count(*) AS n FROM smsflow_outcomes WHERE preparation = %s"
                " AND code = 'again_by_policy' GROUP BY position",
                (self.delivery.preparation,),
            ).fetchall()
        allowed = {row["position"]: 1 + row["n"] for row in rows}
        return {one for one, count in self.took.items() if count > allowed.get(one, 1)}

    def _outcome(self, taken: Taken) -> Settled:
        kinds = [OutcomeKind.FAILED, *[OutcomeKind.NOT_SENT] * 3, OutcomeKind.UNKNOWN]
        if (taken.position, taken.attempt) in self.attempts:
            kinds = [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN]
        return Settled(taken.position, taken.attempt, self.dice.choice(kinds))

    def report(self) -> None:
        if not self.took:
            return
        for position in self.dice.choices(sorted(self.took), k=self.dice.randrange(1, 20)):
            kind = self.dice.choice(list(ReceiptKind))
            append(self.store, received(self.delivery, position, kind))

    def apply(self) -> None:
        apply_receipts(self.store, limit=self.dice.choice([3, 5000]))

    def again(self) -> None:
        again_by_policy(self.store, self.delivery, older_than_s=0)

    def ask(self) -> None:
        """Ask the gateway about some doubts; it knows what it took."""
        doubts = read_doubts(self.store, self.delivery)
        chosen = [one for one in doubts if self.dice.random() < 0.5]
        endings = [
            Ending(
                position=one.position,
                attempt=one.attempt,
                is_taken=(one.position, one.attempt) in self.attempts,
            )
            for one in chosen
        ]
        end_doubts(self.store, self.delivery, endings)

    def kill(self) -> None:
        """Kill one; the other finds it, or a new one does."""
        lost, other = self.dice.sample(self.workers, 2)
        die(lost.ledger)
        with self.store.transaction() as connection:
            connection.execute(
                "UPDATE smsflow_leases SET heartbeat_at = now() - interval '1 day'"
                " WHERE epoch = %s",
                (lost.ledger.epoch,),
            )
        if self.dice.random() < 0.5:
            assert other.ledger.reap(lease_s=_LEASE_S) == 1
            self.check("reap")
        self.workers = [other, self._worker()]

    def end(self, *, stop: bool) -> None:
        """Let everything come back, and send the rest, or cancel it."""
        for _ in range(400):
            for worker in self.workers:
                self.step(worker, wanted=0 if stop else 300, everything=True)
            busy = any(one.under_way or one.again or one.ahead for one in self.workers)
            if not busy and (stop or self.workers[0].ledger.is_settled()):
                break
            if stop and not any(one.under_way for one in self.workers):
                break
        self.check("the end")
        for worker in self.workers:
            if stop:
                worker.ledger.close_rest(OutcomeKind.CANCELLED, "stopped")
                worker.ahead, worker.again = [], []
        self.check("closing")

    def finish_and_resend(self) -> bool:
        """Finish, let what failed go again, and go on. False: nothing had failed."""
        assert self.workers[0].ledger.finish(actor="tester")
        self.check("finishing")
        self.apply()
        self.ask()
        self.check("asking at the end")
        try:
            resend(self.store, self.delivery.id, kinds=RESENDABLE, actor="tester")
        except IllegalMoveError:
            return False
        self.check("resending")
        return True

    def close(self) -> None:
        for worker in self.workers:
            worker.ledger.release()
