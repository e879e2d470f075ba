"""
The kill test: a delivery with two workers, while everything around it is killed at random moments.

``python -m tests.soak.run`` (``make soak``) runs the long forms and prints what became of every
message; ``test_soak.py`` runs short ones. See docs/guarantees.md.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.migrate import migrate
from smsflow_provider.core.store.receipts import apply_all_receipts
from tests.governed import make_approved
from tests.soak.accounts import Accounts, settle_accounts
from tests.soak.faults import Fault, Hit, plan_hits
from tests.soak.sides import Side, free_port, kannel_side, receiver, simulator_side
from tests.soak.worker import Orders
from tests.soak.workers import Workers

#: Nothing is handed over for so long: something hangs.
_STALLED_S = 240.0
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One soak."""

    name: str
    #: A family of the simulator; empty: Kannel.
    family: str
    messages: int
    kills: int
    seed: int
    lease_s: float = 2.0
    connections: int = 8
    workers: int = 2
    #: How long the gateway takes for a request, at the least.
    latency_s: float = 0.02
    has_circuit: bool = False


class Soak:
    """A delivery under way, its workers, and what is done to them."""

    def __init__(
        self, postgres: EmbeddedPostgres, side: Side, workers: Workers, plan: Plan
    ) -> None:
        self._postgres = postgres
        self._side = side
        self._workers = workers
        self._plan = plan
        self._draw = random.Random(plan.seed + 1)

    def run(self, accounts: Accounts, *, say: Callable[[str], None]) -> None:
        """Hit everything that is planned, then wait until the delivery has ended."""
        plan = self._plan
        hits = plan_hits(self._side.kinds, kills=plan.kills, count=plan.messages, seed=plan.seed)
        for number, hit in enumerate(hits, 1):
            self._wait(lambda at=hit.at: self._side.progress() >= at)  # type: ignore[misc]
            # Less while it is ahead: all hits must find something to send.
            is_ahead = self._side.progress() > hit.at
            self._sleep(hit.after_s * (0.3 if is_ahead and hit.at else 1))
            if self._workers.has_ended:
                say(f"over before hit {number} of {len(hits)}")
                break
            say(f"{number:3} {hit.kind} at {self._side.progress()}")
            self._strike(hit)
            accounts.hits[hit.kind] += 1
        self._wait(lambda: self._workers.has_ended)

    def _strike(self, hit: Hit) -> None:
        workers, living = self._workers, self._workers.living()
        if hit.kind is Fault.STORE_RESTARTED:
            self._restart_store(hit)
        elif hit.kind is Fault.ALL_SENDERS_KILLED:
            for number in living:
                workers.kill(number)
        elif hit.kind is Fault.SENDER_KILLED and living:
            workers.kill(self._draw.choice(living))
        elif hit.kind is Fault.SENDER_FROZEN and living:
            frozen = self._draw.choice(living)
            workers.freeze(frozen)
            self._sleep(self._plan.lease_s * (1.2 + hit.strength))
            workers.thaw(frozen)
        elif hit.kind not in {Fault.SENDER_KILLED, Fault.SENDER_FROZEN}:
            self._side.strike(hit, sleep=self._sleep)

    def _restart_store(self, hit: Hit) -> None:
        os.kill(self._postgres.pid, signal.SIGQUIT)
        self._postgres.stop()
        self._sleep(hit.strength)
        self._postgres.start()

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._workers.tend()
            time.sleep(min(left, _PAUSE_S))

    def _wait(self, is_so: Callable[[], bool]) -> None:
        seen, seen_at = -1, time.monotonic()
        while not self._workers.has_ended and not is_so():
            self._sleep(_PAUSE_S)
            now = self._side.progress()
            if now != seen:
                seen, seen_at = now, time.monotonic()
            if time.monotonic() - seen_at > _STALLED_S:
                raise TimeoutError(f"nothing moves any more: {seen} were handed over")


def soak(plan: Plan, folder: Path, *, say: Callable[[str], None] = lambda _: None) -> Accounts:
    """
    Run one soak in *folder* and tell how it ended.

    Raises:
        TimeoutError: The delivery hangs.
    """
    accounts = Accounts(name=plan.name, seed=plan.seed, messages=plan.messages)
    with ExitStack() as stack:
        postgres, dsn = stack.enter_context(_store(folder))
        store = Store(dsn)
        make_approved(store, count=plan.messages, sending={"pause_when": {"failed": None}})
        side = stack.enter_context(_side(plan, folder))
        public_url = ""
        if not plan.family:
            public_url = stack.enter_context(receiver(dsn, folder / "receiver.log"))
        orders = _orders(plan, dsn=dsn, url=side.url, public_url=public_url)
        workers = Workers(orders, count=plan.workers, log=folder / "workers.log")
        stack.callback(workers.stop)
        began = time.monotonic()
        Soak(postgres, side, workers, plan).run(accounts, say=say)
        if public_url:
            await_receipts(store)
        accounts.seconds = time.monotonic() - began
        accounts.started, accounts.ended_by = workers.started, workers.ended_by()
        settle_accounts(accounts, store, side.handed_over(), forgotten=side.forgotten())
    return accounts


def _side(plan: Plan, folder: Path) -> AbstractContextManager[Side]:
    if plan.family:
        return simulator_side(plan.family, latency_s=plan.latency_s)
    return kannel_side(folder, latency_s=plan.latency_s)


def _orders(plan: Plan, *, dsn: str, url: str, public_url: str) -> Orders:
    return Orders(
        dsn=dsn,
        url=url,
        family=plan.family,
        public_url=public_url,
        lease_s=plan.lease_s,
        connections=plan.connections,
        has_circuit=plan.has_circuit,
    )


@contextmanager
def _store(folder: Path) -> Iterator[tuple[EmbeddedPostgres, str]]:
    """Run a durable server of our own: it is stopped and started again on the same port."""
    postgres = EmbeddedPostgres(folder / "postgres", port=free_port())
    try:
        with postgres:
            dsn = postgres.create_database("soak")
            migrate(Store(dsn))
            yield postgres, dsn
    finally:
        postgres.destroy()


def await_receipts(store: Store, *, quiet_s: float = 4.0, timeout_s: float = 90.0) -> None:
    """Wait until no receipt came for some seconds, and apply them all."""
    end = time.monotonic() + timeout_s
    last, since = -1, time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < quiet_s:
        apply_all_receipts(store)
        with store.transaction() as connection:
            row = connection.execute("SELECT count(*) AS n FROM smsflow_receipts").fetchone()
        found = int(row["n"]) if row else 0
        if found != last:
            last, since = found, time.monotonic()
        time.sleep(0.3)


def through_kannel(
    *, messages: int, kills: int, seed: int, latency_s: float = 0.02, has_circuit: bool = False
) -> Plan:
    """Plan a soak of a Kannel."""
    return Plan(
        name=f"Kannel, {messages:,} messages, {kills} hits",
        family="",
        messages=messages,
        kills=kills,
        seed=seed,
        latency_s=latency_s,
        has_circuit=has_circuit,
    )


def through_simulator(
    family: str,
    *,
    messages: int,
    kills: int,
    seed: int,
    slow_s: float = 0.8,
    lease_s: float = 2.0,
) -> Plan:
    """
    Plan a soak of a simulator, slow enough to be hit in the middle.

    Args:
        slow_s: How long it takes for a hundred messages.
    """
    is_single = family == "plain"
    return Plan(
        name=f"simulator, family {family}, {messages:,} messages, {kills} kills",
        family=family,
        messages=messages,
        kills=kills,
        seed=seed,
        lease_s=lease_s,
        connections=8 if is_single else 1,
        latency_s=slow_s * 8 / 100 if is_single else slow_s,
    )


def long_forms(seed: int) -> list[Plan]:
    """The soaks of ``make soak``."""
    return [
        through_kannel(messages=20_000, kills=30, seed=seed, has_circuit=True),
        through_simulator("query", messages=40_000, kills=200, seed=seed),
        through_simulator("own_ids", messages=10_000, kills=50, seed=seed),
        through_simulator("plain", messages=10_000, kills=50, seed=seed),
    ]


def main() -> int:
    """Run the long forms and print a table; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Kill everything around a delivery, and count.")
    parser.add_argument("--seed", type=int, default=None, help="of all that is left to chance")
    parser.add_argument("--only", default="", help="run those whose name holds this word")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1_000_000)
    plans = [plan for plan in long_forms(seed) if args.only.lower() in plan.name.lower()]
    are_clean = [_run_one(plan) for plan in plans]
    return 0 if all(are_clean) else 1


def _run_one(plan: Plan) -> bool:
    _say(f"{plan.name}, seed {plan.seed}")
    with tempfile.TemporaryDirectory(prefix="smsflow-soak-") as folder:
        accounts = soak(plan, Path(folder), say=_say)
        if not accounts.is_clean:
            _say((Path(folder) / "workers.log").read_text(errors="replace")[-4000:])
    for line in accounts.lines():
        _say(line)
    return accounts.is_clean


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
